"""Every rig that a test opens is closed again, and what went over its wire is judged by the vendor's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from tests.contract.suite.rigs import (
    CHANNELS,
    COMPARED,
    DAILY,
    FULFILLERS,
    HOOKED,
    PATIENT,
    PLAIN,
    QUEUED,
    STOCK_SOURCES,
    channel_rig,
    warehouse_rig,
)
from tests.contract.suite.rigs.channel_rig import ChannelRig
from tests.contract.suite.rigs.warehouse_rig import WarehouseRig


class OpensChannel(Protocol):
    async def __call__(self, codes: Sequence[str] = ..., quantity: int = ..., *, lagging: bool = ...) -> ChannelRig: ...


class OpensWarehouse(Protocol):
    async def __call__(self, stock: dict[str, int] = ...) -> WarehouseRig: ...


@pytest.fixture(params=CHANNELS)
async def opens(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel in a calm marketplace: RED, BLUE and GREEN, 500 of each, unless a test wants others."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=COMPARED)
async def opens_compared(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel that is written by compare-and-set."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=PLAIN)
async def opens_plain(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel that is written without a comparison."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=HOOKED)
async def opens_hooked(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel that tells its news by webhook."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=QUEUED)
async def opens_queued(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel that puts its news on a queue."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=PATIENT)
async def opens_patient(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel whose "too many requests" is soon over."""
    async for opened in _channel(request.param):
        yield opened


@pytest.fixture(params=DAILY)
async def opens_daily(request: pytest.FixtureRequest) -> AsyncIterator[OpensChannel]:
    """Opens a channel whose "too many requests" means a day's quota."""
    async for opened in _channel(request.param):
        yield opened


async def _channel(name: str) -> AsyncIterator[OpensChannel]:
    rigs: list[ChannelRig] = []
    async with AsyncExitStack() as stack:

        async def opened(
            codes: Sequence[str] = ("RED", "BLUE", "GREEN"), quantity: int = 500, *, lagging: bool = False
        ) -> ChannelRig:
            rig = channel_rig(name)
            await rig.open(stack, codes, quantity, lagging=lagging)
            rigs.append(rig)
            return rig

        yield opened
    for rig in rigs:
        assert rig.requests(), "nothing went over the wire"
        assert rig.violations() == []


@pytest.fixture(params=STOCK_SOURCES)
async def opens_stock(request: pytest.FixtureRequest) -> AsyncIterator[OpensWarehouse]:
    """Opens a warehouse whose levels can be read."""
    async for opened in _warehouse(request.param):
        yield opened


@pytest.fixture(params=FULFILLERS)
async def opens_fulfiller(request: pytest.FixtureRequest) -> AsyncIterator[OpensWarehouse]:
    """Opens a warehouse that ships for us."""
    async for opened in _warehouse(request.param):
        yield opened


async def _warehouse(name: str) -> AsyncIterator[OpensWarehouse]:
    rigs: list[WarehouseRig] = []
    async with AsyncExitStack() as stack:

        async def opened(stock: dict[str, int] | None = None) -> WarehouseRig:
            rig = warehouse_rig(name)
            await rig.open(stack, {"RED": 10, "BLUE": 5, "GREEN": 0} if stock is None else stock)
            rigs.append(rig)
            return rig

        yield opened
    for rig in rigs:
        assert rig.requests(), "nothing went over the wire"
        assert rig.violations() == []
