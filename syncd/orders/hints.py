"""Look up what news only hinted at: orders many at a time, numbers once the orders behind them had time to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Executable, and_, or_, select

from adapters.contract import (
    AdapterError,
    Channel,
    Clock,
    ListingHint,
    OrderHint,
    OrderNews,
    RateLimited,
    RawEvent,
    Transient,
)
from syncd.db.database import Transactor
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import inbox
from syncd.orders.inbox import Arrived
from syncd.orders.take_in import NumberHint, hint_cutoff, put_back, record_fetched, weigh_hints

log = structlog.get_logger(__name__)

HINT_DELAY_S = 10.0
TRIES_AFTER_S = (0.0, 20.0, 60.0, 180.0, 600.0)
"""An order that its channel does not know yet is asked for again after so long, and then no more."""

_FETCH_WITHIN_REAL_S = 30.0
_BACK_OFF_S = (2.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True)
class Hinted:
    """A hint that waits; `tries` counts how often its order was asked for."""

    inbox_id: int
    event: RawEvent
    received_at: datetime
    tries: int


class HintDesk:
    """Looks up one account's hints. `trouble` is told what went wrong with the channel."""

    def __init__(
        self,
        account_id: int,
        channel: Channel,
        db: Transactor,
        clock: Clock,
        trouble: Callable[[AdapterError], Awaitable[None]],
    ) -> None:
        self._account_id = account_id
        self._channel = channel
        self._db = db
        self._clock = clock
        self._trouble = trouble
        self._failures = 0
        self._not_before = clock.now()  # after a failure nothing is fetched until then
        self.next_look_at: datetime | None = None

    async def look_up(self, arrived: Callable[[], None]) -> bool:
        """Fetch hinted orders, and weigh hinted numbers. Returns whether a number is to be read."""
        surprising = 0
        now = self._clock.now()
        hinted = await self._db.read(load_hinted, self._account_id, self._channel.traits.fetch_batch, now)
        self.next_look_at = now + timedelta(seconds=HINT_DELAY_S) if hinted else None
        orders: dict[str, list[Hinted]] = {}
        numbers: list[NumberHint] = []
        cutoff = hint_cutoff(now, HINT_DELAY_S)
        for each in hinted:
            news = self._channel.resolve(each.event)
            if isinstance(news, OrderHint):
                orders.setdefault(news.channel_order_id, []).append(each)
            elif isinstance(news, ListingHint) and each.received_at <= cutoff:
                numbers.append(
                    NumberHint(each.inbox_id, self._account_id, news.channel_sku, news.channel_location, news.quantity)
                )
        if numbers:
            surprising = await self._db.transact(weigh_hints, numbers, self._clock.now())
        if orders and now >= self._not_before:
            await self._fetch(orders, arrived)
        return surprising > 0

    async def _fetch(self, orders: dict[str, list[Hinted]], arrived: Callable[[], None]) -> None:
        try:
            fetched = await self._asked(sorted(orders))
        except AdapterError as err:
            self._back_off(err)
            await self._trouble(err)
            return
        self._failures = 0
        came = {self._names(event) for event in fetched}
        settled = [each.inbox_id for order_id, several in orders.items() if order_id in came for each in several]
        missing = [each for order_id, several in orders.items() if order_id not in came for each in several]
        rows = [Arrived(self._account_id, event.event_key, event.topic, "fetch", event.body) for event in fetched]
        await self._db.transact(record_fetched, rows, settled, self._clock.now())
        await self._put_back(missing)
        arrived()

    async def _asked(self, order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        try:
            async with asyncio.timeout(_FETCH_WITHIN_REAL_S):
                return await self._channel.fetch_orders(order_ids)
        except TimeoutError as err:
            raise Transient(f"fetching {len(order_ids)} orders took longer than {_FETCH_WITHIN_REAL_S:.0f} s") from err

    def _names(self, event: RawEvent) -> str | None:
        """Which order an event is of. One that cannot be read is parked by whoever takes it in."""
        news = self._channel.resolve(event)
        return news.order.channel_order_id if isinstance(news, OrderNews) else None

    async def _put_back(self, missing: Sequence[Hinted]) -> None:
        """Orders the channel does not know, not yet or not at all."""
        if not missing:
            return
        gone = [each.inbox_id for each in missing if each.tries >= len(TRIES_AFTER_S)]
        again = [each.inbox_id for each in missing if each.tries < len(TRIES_AFTER_S)]
        await self._db.transact(put_back, again, gone, self._clock.now())
        if gone:
            log.warning("hint.unknown_order", account_id=self._account_id, hints=len(gone))

    def _back_off(self, err: AdapterError) -> None:
        pause = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        if isinstance(err, RateLimited):
            pause = max(pause, err.retry_after_s)
        self._failures += 1
        self._not_before = self._clock.now() + timedelta(seconds=pause)


def load_hinted(connection: Connection, account_id: int, limit: int, now: datetime) -> list[Hinted]:
    """The oldest hints of an account whose turn it is."""
    since = {f"since_{tries}": now - timedelta(seconds=wait_s) for tries, wait_s in _TRIES}
    return [
        Hinted(row.id, RawEvent(row.event_key, row.topic, bytes(row.body or b"")), row.received_at, row.attempts)
        for row in _hinted(connection, account_id=account_id, limit=limit, **since)
    ]


_TRIES = tuple(enumerate(TRIES_AFTER_S, start=1))


@statement
def _hinted(given: Given) -> Executable:
    due = or_(
        inbox.c.attempts <= 1,
        *(
            and_(inbox.c.attempts == tries, inbox.c.settled_at <= given.value(f"since_{tries}", datetime))
            for tries, _ in _TRIES
        ),
        inbox.c.attempts > len(TRIES_AFTER_S),
    )
    return (
        select(inbox.c.id, inbox.c.event_key, inbox.c.topic, inbox.c.body, inbox.c.received_at, inbox.c.attempts)
        .where(inbox.c.account_id == given.value("account_id", int), inbox.c.state == constant("hinted"), due)
        .order_by(inbox.c.id)
        .limit(given.value("limit", int))
    )
