"""A cancelled item stays cancelled, whatever the notifications of an account go on to count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp.test_utils import TestServer

from adapters.amazon import AmazonChannel, QueueSettings
from adapters.amazon.sandbox import AmazonSandbox, FaultMix, ItemSeed, SellerSeed
from adapters.contract import OrderHint, OrderNews, OrderState, RawEvent
from tests.unit.amazon.conftest import settings
from tests.unit.shopify.doubles import SeededRng
from tests.unit.shopify_sandbox.kit import SteppingClock

CALM = replace(FaultMix.none(), webhook_delay_min_s=1.0, webhook_delay_max_s=1.0)
LINES = [{"sku": "RED", "quantity": 2}, {"sku": "BLUE", "quantity": 2}]


@dataclass(slots=True)
class Desk:
    """Takes in what the queue and the polls tell: the newest state counts, and hints are looked up."""

    channel: AmazonChannel
    http: httpx.AsyncClient
    clock: SteppingClock
    order: OrderState | None = None
    heard: list[str] = field(default_factory=list)

    async def does(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        await self.clock.advance(5)
        return told

    async def hears(self) -> list[bytes]:
        """What has come by the queue, taken in."""
        bodies = []
        assert self.channel.queue is not None
        for queued in await self.channel.queue.receive():
            await self.channel.queue.acknowledge([queued.receipt])
            await self._take(queued.event)
            bodies.append(queued.event.body)
        return bodies

    async def polls(self) -> None:
        await self.clock.advance(300)  # a search leaves out the last two minutes
        since = self.clock.now() - timedelta(hours=1)
        for event in [event async for page in self.channel.poll_orders(since) for event in page.events]:
            await self._take(event)

    def units(self) -> dict[str | None, int]:
        assert self.order is not None
        return {line.code: line.quantity for line in self.order.lines}

    async def _take(self, event: RawEvent) -> None:
        news = self.channel.resolve(event)
        self.heard.append(type(news).__name__)
        if isinstance(news, OrderHint):
            (fetched,) = await self.channel.fetch_orders([news.channel_order_id])
            news = self.channel.resolve(fetched)
        assert isinstance(news, OrderNews)
        if self.order is None or news.order.version_at > self.order.version_at:
            self.order = news.order


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    items = (ItemSeed("RED", quantity=10), ItemSeed("BLUE", quantity=10))
    seed = SellerSeed(items=items, visibility_lag_s=0.0, gross_notifications=True, faults=CALM)
    clock = SteppingClock()
    async with AsyncExitStack() as stack:
        server = TestServer(AmazonSandbox(seed, clock, SeededRng()).app)
        await server.start_server()
        stack.push_async_callback(server.close)
        address = str(server.make_url("/")).rstrip("/")
        given = settings(
            base_url=address,
            token_url=f"{address}/auth/o2/token",
            seller_id=seed.seller_id,
            marketplace_ids=(seed.marketplace_id,),
            client_id=seed.client_id,
            client_secret=seed.client_secret,
            refresh_token=seed.refresh_token,
            queue=QueueSettings(f"{address}/000000000000/orders", "us-east-1", address, "key", "secret", wait_real_s=0),
        )
        channel = AmazonChannel(given, clock, SeededRng())
        stack.push_async_callback(channel.close)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=address, trust_env=False, verify=False))
        yield Desk(channel, http, clock)


def told_units(body: bytes) -> dict[str, int]:
    summary = msgspec.json.decode(body)["Payload"]["OrderChangeNotification"]["Summary"]
    return {item["SellerSKU"]: item["Quantity"] for item in summary["OrderItems"]}


async def placed(desk: Desk) -> str:
    order = (await desk.does("orders", lines=LINES))["id"]
    await desk.hears()
    assert desk.units() == {"RED": 2, "BLUE": 2}
    await desk.clock.advance(300)
    await desk.does(f"orders/{order}/edit", sku="BLUE", quantity=0)
    return str(order)


@pytest.mark.parametrize("polled", [True, False])
async def test_an_item_cancelled_before_the_parcel_left_stays_cancelled(desk: Desk, polled: bool) -> None:
    order = await placed(desk)
    await desk.hears()
    if polled:
        await desk.polls()
    assert desk.units() == {"RED": 2, "BLUE": 0}

    await desk.clock.advance(300)
    await desk.does(f"orders/{order}/fulfil")
    (shipped,) = await desk.hears()

    assert told_units(shipped) == {"RED": 2, "BLUE": 2}  # it counts what was cancelled
    assert desk.units() == {"RED": 2, "BLUE": 0}
    assert desk.heard[-1] == "OrderHint"


async def test_an_item_stays_cancelled_when_another_is_cancelled_later(desk: Desk) -> None:
    order = await placed(desk)
    await desk.polls()
    await desk.hears()
    await desk.clock.advance(300)
    await desk.does(f"orders/{order}/edit", sku="RED", quantity=1)

    (fewer,) = await desk.hears()

    assert told_units(fewer) == {"RED": 2, "BLUE": 2}
    assert desk.units() == {"RED": 1, "BLUE": 0}
