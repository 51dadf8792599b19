"""A desk where news comes in: one shop's channel, inbox, intake and poller over the real database, watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError

from adapters.contract import Ignored, News, OrderNews, OrderState, Page, RawEvent
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.db.types import from_micros
from syncd.orders.inbox import Arrived
from syncd.orders.intake import InboxWriter, Intake
from syncd.orders.poll import Poller
from tests.support.builders import NOW, Seller, a_seller, an_order
from tests.support.fake_channel import FakeChannel

GONE = OperationalError("SELECT", None, Exception("server closed the connection unexpectedly"))


class Watch:
    """The seller's time, moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Teller(FakeChannel):
    """A channel whose news a test writes: a body names what it means."""

    means: dict[str, News | Exception] = field(default_factory=dict)
    has: dict[str, OrderState] = field(default_factory=dict)
    fetched: list[tuple[str, ...]] = field(default_factory=list)
    pages: list[Page | Exception] = field(default_factory=list)
    asked_since: list[datetime] = field(default_factory=list)
    broken: Exception | None = None

    def resolve(self, event: RawEvent) -> News:
        found = self.means.get(event.body.decode(), Ignored(f"topic {event.topic}"))
        if isinstance(found, Exception):
            raise found
        return found

    def event(self, news: News | Exception, key: str | None = None, topic: str = "orders/updated") -> RawEvent:
        """An event that means `news`, under a key of its own."""
        key = key or f"event-{len(self.means)}"
        self.means[key] = news
        return RawEvent(key, topic, key.encode())

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        self.fetched.append(tuple(channel_order_ids))
        if self.broken is not None:
            raise self.broken
        return tuple(
            self.event(OrderNews(self.has[each]), f"fetch/{each}") for each in channel_order_ids if each in self.has
        )

    async def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        self.asked_since.append(since)
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


class Watched:
    """The database, with every call counted; `trouble` may raise before a call gets through."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.calls: list[str] = []
        self.trouble: Callable[..., None] = lambda *_: None
        self.gate: asyncio.Event | None = None

    async def transact(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls.append(function.__name__)
        if self.gate is not None:
            await self.gate.wait()
        self.trouble(function, *args)
        return await self._db.transact(function, *args, **kwargs)

    transact_ahead = transact

    async def read(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(function, *args, **kwargs)


class Desk:
    """One account's way in, moved step by step."""

    def __init__(self, db: Database, stock: int = 100) -> None:
        self.seller: Seller = a_seller(db, {"RED-CLOCK": stock})
        self.account = self.seller.accounts["shop"]
        self.db = Watched(db)
        self.channel = Teller()
        self.clock = Watch()
        self.arrived = 0
        self.changed = 0
        self.lease = lease_of(db)
        self.inbox = InboxWriter(self.db, self.clock, self._arrived)
        views = {self.account.account_id: self.account}
        self.intake = Intake(self.db, {self.account.account_id: self.channel}, views, self.clock, self._changed)
        self.poller = Poller(
            self.account.account_id, "shop", self.channel, self.db, self.inbox, self.clock, lambda: self.lease
        )

    def _arrived(self) -> None:
        self.arrived += 1

    def _changed(self) -> None:
        self.changed += 1

    def row(self, event: RawEvent, way: str = "webhook") -> Arrived:
        return Arrived(self.account.account_id, event.event_key, event.topic, way, event.body)

    async def hears(self, *news: News | Exception, way: str = "webhook") -> None:
        """Let the channel tell this, durably in the inbox."""
        await self.inbox.add(*(self.row(self.channel.event(each), way) for each in news))

    async def takes_all_in(self) -> int:
        taken = 0
        while count := await self.intake.drain():
            taken += count
        return taken

    def states(self) -> list[str]:
        return [row["state"] for row in self.seller.rows("SELECT state FROM inbox ORDER BY id")]

    def horizon(self) -> datetime | None:
        found = self.seller.rows("SELECT horizon_at FROM cursor WHERE stream = 'orders'")
        return from_micros(found[0]["horizon_at"]) if found and found[0]["horizon_at"] is not None else None

    def must_read(self) -> bool:
        return bool(self.seller.rows("SELECT must_read FROM cell")[0]["must_read"])


def lease_of(db: Database) -> Lease:
    lease = db.transact_now(acquire, "account:shop", "this test", NOW)
    assert isinstance(lease, Lease)
    return lease


def order_news(order_id: str, **more: Any) -> OrderNews:
    return OrderNews(an_order(order_id=order_id, **more))
