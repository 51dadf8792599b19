"""The other way in: poll every account's orders, and look up what webhooks only hinted at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select

from adapters.contract import AdapterError, AuthExpired, Channel, Clock, ListingHint, OrderHint, RawEvent
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.db.tables import inbox
from syncd.db.types import to_micros
from syncd.orders.inbox import HORIZON_TOPIC, Arrived
from syncd.orders.intake import InboxWriter
from syncd.orders.take_in import (
    NumberHint,
    finish_poll,
    hint_cutoff,
    note_channel,
    polled_to,
    record_fetched,
    weigh_hints,
)

log = structlog.get_logger(__name__)

FIRST_POLL_DAYS = 60
"""How far back an account's first poll goes: what marketplaces let an app read without asking."""

HINT_DELAY_S = 10.0


class Poller:
    """Reads an account's changed orders in overlapping windows, and hands every page to the inbox at once."""

    def __init__(
        self,
        account_id: int,
        account: str,
        channel: Channel,
        db: Transactor,
        inbox_writer: InboxWriter,
        clock: Clock,
        lease: Callable[[], Lease],
    ) -> None:
        self._account_id = account_id
        self._account = account
        self._channel = channel
        self._db = db
        self._inbox = inbox_writer
        self._clock = clock
        self._lease = lease
        self._down = True  # until the first success, which also closes what an earlier process left open
        self._told = False
        self.last_success_at: datetime | None = None

    async def poll(self, arrived: Callable[[], None]) -> None:
        """Poll once. The watermark moves only when every page is durable, so a broken poll is repeated whole."""
        started_at = self._clock.now()
        before = await self._db.read(polled_to, self._account_id)
        since = (before or started_at - timedelta(days=FIRST_POLL_DAYS)) - timedelta(
            seconds=self._channel.traits.poll_overlap_s
        )
        try:
            async for page in self._channel.poll_orders(since):
                await self._inbox.add(*self._rows(page.events, "poll"))
        except AdapterError as err:
            await self._note_down(err)
            return
        marker = Arrived(
            self._account_id,
            f"horizon:{to_micros(started_at)}",
            HORIZON_TOPIC,
            "daemon",
            str(to_micros(started_at)).encode(),
        )
        await self._db.transact(finish_poll, self._lease(), self._account_id, started_at, marker, self._clock.now())
        arrived()
        self.last_success_at = self._clock.now()
        await self._note_up()

    def _rows(self, events: Sequence[RawEvent], way: str) -> list[Arrived]:
        return [Arrived(self._account_id, event.event_key, event.topic, way, event.body) for event in events]

    async def look_up_hints(self, arrived: Callable[[], None]) -> None:
        """Fetch hinted orders many at a time, and weigh hinted numbers once their orders have had time to come."""
        hinted = await self._db.read(load_hinted, self._account_id, self._channel.traits.fetch_batch)
        if not hinted:
            return
        orders: dict[str, list[int]] = {}
        numbers: list[NumberHint] = []
        cutoff = hint_cutoff(self._clock.now(), HINT_DELAY_S)
        for inbox_id, event, received_at in hinted:
            news = self._channel.resolve(event)
            if isinstance(news, OrderHint):
                orders.setdefault(news.channel_order_id, []).append(inbox_id)
            elif isinstance(news, ListingHint) and received_at <= cutoff:
                numbers.append(
                    NumberHint(inbox_id, self._account_id, news.channel_sku, news.channel_location, news.quantity)
                )
        if numbers:
            await self._db.transact(weigh_hints, numbers, self._clock.now())
            arrived()
        if orders:
            await self._fetch(orders, arrived)

    async def _fetch(self, orders: dict[str, list[int]], arrived: Callable[[], None]) -> None:
        try:
            fetched = await self._channel.fetch_orders(sorted(orders))
        except AdapterError as err:
            await self._note_down(err)
            return
        ids = [inbox_id for several in orders.values() for inbox_id in several]
        await self._db.transact(record_fetched, self._rows(fetched, "fetch"), ids, self._clock.now())
        arrived()

    async def _note_down(self, err: AdapterError) -> None:
        kind = "auth_expired" if isinstance(err, AuthExpired) else "channel_down"
        if not self._told:
            log.warning("channel.down", account=self._account, error=type(err).__name__, detail=str(err))
        self._down = self._told = True
        await self._db.transact(note_channel, self._account_id, self._account, kind, str(err), self._clock.now())

    async def _note_up(self) -> None:
        if not self._down:
            return
        self._down = False
        if self._told:
            log.info("channel.recovered", account=self._account)
        self._told = False
        for kind in ("auth_expired", "channel_down"):
            await self._db.transact(note_channel, self._account_id, self._account, kind, None, self._clock.now())


def load_hinted(connection: Connection, account_id: int, limit: int) -> list[tuple[int, RawEvent, datetime]]:
    """The oldest hints of an account that wait to be looked up."""
    found = connection.execute(
        select(inbox.c.id, inbox.c.event_key, inbox.c.topic, inbox.c.body, inbox.c.received_at)
        .where(inbox.c.account_id == account_id, inbox.c.state == "hinted")
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [(row.id, RawEvent(row.event_key, row.topic, bytes(row.body or b"")), row.received_at) for row in found]
