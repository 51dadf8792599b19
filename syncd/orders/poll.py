"""The other way in: poll every account's orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from adapters.contract import AdapterError, AuthExpired, Channel, Clock, RawEvent
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.db.types import to_micros
from syncd.orders.hints import HintDesk
from syncd.orders.inbox import HORIZON_TOPIC, Arrived
from syncd.orders.intake import InboxWriter
from syncd.orders.take_in import finish_poll, move_cursor, note_channel, polled_to

log = structlog.get_logger(__name__)

FIRST_POLL_DAYS = 60
"""How far back an account's first poll goes: what marketplaces let an app read without asking."""


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
        self.hints = HintDesk(account_id, channel, db, clock, self._note_down)
        self._down = True  # until the first success, which also closes what an earlier process left open
        self._told = False
        self.last_success_at: datetime | None = None
        self.last_page_at: datetime | None = None  # a long poll makes progress page by page

    async def poll(self, arrived: Callable[[], None]) -> None:
        """Poll once. The watermark moves only when every page is durable, so a broken poll is repeated whole."""
        started_at = self._clock.now()
        before = await self._db.read(polled_to, self._account_id)
        reached = min(before or started_at - timedelta(days=FIRST_POLL_DAYS), started_at)  # a clock may have been wrong
        since = reached - timedelta(seconds=self._channel.traits.poll_overlap_s)
        try:
            async for page in self._channel.poll_orders(since):
                await self._inbox.add(*self._rows(page.events, "poll"))
                self.last_page_at = self._clock.now()
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

    async def look_up_hints(self, arrived: Callable[[], None]) -> bool:
        """Look up what news only hinted at. Returns whether a number is to be read."""
        return await self.hints.look_up(arrived)

    async def sweep(self, every_s: float, back_s: float, arrived: Callable[[], None]) -> bool:
        """Read again what changed in so long a time, if that is due: a channel may list an order hours late.

        It moves no watermark of the polls. Returns whether it was due and is complete.
        """
        started_at = self._clock.now()
        stream = f"sweep:{back_s:.0f}"
        before = await self._db.read(polled_to, self._account_id, stream)
        if before is not None and started_at - before < timedelta(seconds=every_s):
            return False
        if before is not None:  # the first poll reached back further
            try:
                async for page in self._channel.poll_orders(started_at - timedelta(seconds=back_s)):
                    await self._inbox.add(*self._rows(page.events, "poll"))
                    arrived()
            except AdapterError as err:
                log.warning("sweep.broken", account=self._account, error=type(err).__name__, detail=str(err))
                return False
        await self._db.transact(move_cursor, self._lease(), self._account_id, stream, started_at, self._clock.now())
        return before is not None

    async def _note_down(self, err: AdapterError) -> None:
        kind = "auth_expired" if isinstance(err, AuthExpired) else "channel_down"
        if not self._told:
            log.warning("channel.down", account=self._account, error=type(err).__name__, detail=str(err))
        self._down = self._told = True
        await self._note(kind, str(err))

    async def _note_up(self) -> None:
        if not self._down:
            return
        self._down = False
        if self._told:
            log.info("channel.recovered", account=self._account)
        self._told = False
        for kind in ("auth_expired", "channel_down"):
            await self._note(kind, None)

    async def _note(self, kind: str, trouble: str | None) -> None:
        now = self._clock.now()
        await self._db.transact(note_channel, self._lease(), self._account_id, self._account, kind, trouble, now)
