"""A warehouse and the sandbox behind it, with the verbs that every warehouse knows."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, ClassVar

import httpx

from adapters.warehouse import Fulfiller, StockRow, StockSource
from tests.contract.suite.rigs.channel_rig import Counter, Judge, Mailbox
from tests.contract.suite.rigs.clocks import PatientClock
from tests.support.specs.exchange import Exchange, Recorder
from tests.unit.shopify_sandbox.kit import SteppingClock


class WarehouseRig(ABC):
    """One account at one warehouse. `fulfiller` only where it ships for us."""

    name: ClassVar[str]
    token_path: ClassVar[str]  # "" where there is one token for ever
    token_header: ClassVar[str]
    signature_header: ClassVar[str] = ""
    stock_operation: ClassVar[str]  # as the sandbox's faults name it
    submit_operation: ClassVar[str] = ""
    cancel_operation: ClassVar[str] = ""
    levels_a_page: ClassVar[int]

    source: StockSource
    fulfiller: Fulfiller
    counter: Counter
    judge: Judge | None

    def __init__(self) -> None:
        self.stepping = SteppingClock()
        self.clock = PatientClock(self.stepping)
        self.recorder = Recorder()
        self.mail = Mailbox()

    @abstractmethod
    async def open(self, stack: AsyncExitStack, stock: Mapping[str, int]) -> None:
        """Open the sandbox and the adapter, with so many pieces of each SKU to promise."""

    @abstractmethod
    async def types(self, sku: str, free: int) -> None:
        """A person counts, and so many pieces can be promised now."""

    def refuse_tokens(self, *, refused: bool) -> None:
        """From now on our token is refused, or taken again."""

        async def spoil(request: httpx.Request) -> None:
            if self.token_header in request.headers:
                request.headers[self.token_header] = "Bearer nobody"

        self.recorder.before = spoil if refused else None

    async def begins_to_pick(self, shipment_id: str) -> None:
        raise NotImplementedError(f"{self.name} ships nothing for us")

    async def ships(self, shipment_id: str) -> None:
        raise NotImplementedError(f"{self.name} ships nothing for us")

    @property
    def now(self) -> datetime:
        return self.stepping.now()

    async def passes(self, seconds: float) -> None:
        """Time goes by, and what is due meanwhile is delivered."""
        await self.stepping.advance(seconds)
        await asyncio.sleep(0.01)

    async def meets(self, fault: str, operation: str, times: int = 1) -> None:
        """The next requests of this operation meet this fault for certain."""
        await self.counter.post("faults", next=[{"fault": fault, "operation": operation, "times": times}])

    async def is_down(self, seconds: float) -> None:
        await self.counter.post("faults", down_s=seconds)

    async def truth(self) -> dict[str, Any]:
        return await self.counter.get("truth")

    async def stock(self) -> list[StockRow]:
        """Every row of every page."""
        return [row async for page in self.source.read_stock() for row in page.rows]

    async def free(self) -> dict[str, int]:
        return {row.warehouse_sku: row.free for row in await self.stock()}

    def violations(self) -> list[str]:
        return self.judge(self.recorder.exchanges) if self.judge is not None else []

    def requests(self) -> list[Exchange]:
        """What was asked but for tokens."""
        return [each for each in self.recorder.exchanges if each.path != self.token_path]
