"""Work with one outside warehouse that ships for us: ask it, hear it, stop it, and read its stock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from adapters.contract import AdapterError, Clock, OutcomeUnknown, Rejected
from adapters.warehouse import Fulfiller, ShipmentState
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.fulfilment.cursors import SHIPMENTS, move_cursor, shipments_since
from syncd.fulfilment.due import (
    Cancelling,
    Due,
    load_recalled,
    load_unsent,
    mark_cancelling,
    mark_sending,
    unmark_cancelling,
)
from syncd.fulfilment.plan import Outside, plan_shipments, survey
from syncd.fulfilment.reach import Reach
from syncd.fulfilment.rounds import Round, work_off
from syncd.fulfilment.settle import (
    is_news,
    load_known,
    note_cancelled,
    note_never_arrived,
    note_refused,
    note_shipment,
    note_stuck,
    note_too_late,
    note_unsent,
)
from syncd.fulfilment.stock_reader import StockReader
from syncd.orders.book import AccountView

log = structlog.get_logger(__name__)

_PLANNED: Final = 100  # orders planned in one transaction
_ROUND: Final = 500  # requests looked at in one round
_STUCK_AFTER: Final = 5  # attempts after which a person is told that a request does not get through


class Fulfilment:
    """Ships for orders from one warehouse. Every coroutine is safe to miss and to repeat, and raises no AdapterError.

    Each returns whether the book has changed.
    """

    def __init__(
        self,
        warehouse_id: int,
        key: str,
        fulfiller: Fulfiller,
        views: Mapping[int, AccountView],
        db: Transactor,
        clock: Clock,
        lease: Callable[[], Lease],
        grace_s: float = 60.0,
    ) -> None:
        self._place = Outside(warehouse_id, key, views)
        self._fulfiller = fulfiller
        self._db = db
        self._clock = clock
        self._lease = lease
        self._grace_s = grace_s
        self._reach = Reach(warehouse_id, key, db, clock)
        self._stock = StockReader(warehouse_id, key, fulfiller, db, clock, lease, self._reach, self._hear_all)
        self._turns = {name: asyncio.Lock() for name in ("submit", "poll", "cancel")}
        self._not_before = clock.now()  # the warehouse asked us to wait until then
        self.last_poll_at: datetime | None = None

    @property
    def last_stock_at(self) -> datetime | None:
        return self._stock.last_stock_at

    async def read_stock(self) -> bool:
        """Read and book every level once."""
        return await self._stock.read_stock()

    async def submit_due(self) -> bool:
        """Plan what has become due, and send what is planned; look first for what was sent without an answer."""
        async with self._turns["submit"]:
            changed = await self._plan()
            due = await self._db.read(load_unsent, self._place.warehouse_id, _ROUND)
            return await self._work_off("submit", due, self._submit) or changed

    async def cancel_due(self) -> bool:
        """Ask for what nobody wants any more not to leave."""
        async with self._turns["cancel"]:
            due = await self._db.read(load_recalled, self._place.warehouse_id, _ROUND)
            return await self._work_off("cancel", due, self._cancel)

    async def poll(self) -> bool:
        """Hear of every shipment that changed. The cursor moves only when all of them are booked."""
        return (await self._poll()).changed

    async def _hear_all(self) -> bool:
        return (await self._poll()).down is None

    async def _poll(self) -> Round:
        async with self._turns["poll"]:
            heard = Round()
            started_at = self._clock.now()
            since = await self._db.read(shipments_since, self._place.warehouse_id)
            if since is None:
                return heard
            overlap = timedelta(seconds=self._fulfiller.traits.shipments_overlap_s)
            try:
                async for states in self._fulfiller.poll_shipments(since - overlap):
                    await self._hear(states, started_at, heard)
            except AdapterError as err:
                heard.down = err
                await self._reach.failed("poll", err)
                return heard
            await self._reach.worked("poll")
            if heard.mishap is not None:
                raise heard.mishap  # the cursor stays: what could not be booked is heard again
            await self._db.transact(
                _finish_poll, self._lease(), self._place.warehouse_id, started_at, self._clock.now()
            )
            self.last_poll_at = self._clock.now()
            return heard

    async def _hear(self, states: Sequence[ShipmentState], read_at: datetime, heard: Round) -> None:
        known = await self._db.read(load_known, self._place.warehouse_id, [each.reference for each in states])
        news = [told for told in states if is_news(told, known.get(told.reference))]
        done = await work_off(news, lambda told: told.reference, lambda told: self._note(told, read_at))
        heard.changed = heard.changed or done.changed
        heard.mishap = heard.mishap or done.mishap

    async def _plan(self) -> bool:
        changed = False
        while True:
            now = self._clock.now()
            found = await self._db.read(survey, self._place, self._grace_s, _PLANNED, now)
            if not (found.ready or found.opening or found.closing):
                return changed
            planned = await self._db.transact(plan_shipments, self._lease(), self._place, found, self._grace_s, now)
            changed = changed or planned > 0
            if planned:
                log.info("shipments.planned", warehouse=self._place.key, orders=planned)
            if planned < _PLANNED:
                return changed

    async def _work_off(self, activity: str, due: Sequence[Due], work: Callable[[Due], Awaitable[bool]]) -> bool:
        if not due:
            await self._reach.idle(activity)
        if not due or self._clock.now() < self._not_before:
            return False
        done = await work_off(due, lambda each: each.reference, work)
        if done.asked_to_wait is not None:
            self._not_before = self._clock.now() + timedelta(seconds=done.asked_to_wait.retry_after_s)
        if done.down is not None:
            await self._reach.failed(activity, done.down)
        else:
            await self._reach.worked(activity)
            await self._tell_stuck(due, done)
        if done.mishap is not None:
            raise done.mishap
        return done.changed

    async def _tell_stuck(self, due: Sequence[Due], done: Round) -> None:
        """Tell of single requests that fail again and again while others work."""
        attempts = {each.reference: each.attempts for each in due}
        for reference, err in done.failed:
            if attempts[reference] >= _STUCK_AFTER:
                now = self._clock.now()
                await self._db.transact(note_stuck, self._lease(), self._place, reference, str(err), now)

    # --- asking ------------------------------------------------------------------------------------------------------

    async def _submit(self, due: Due) -> bool:
        if due.state == "submitted":  # it was sent before, and no answer was booked
            read_at = self._clock.now()
            there = await self._fulfiller.find(due.reference)
            if there is not None:
                return await self._note(there, read_at)
            if not self._has_settled(due):
                return False
        order = await self._db.transact(mark_sending, self._lease(), self._place, due.reference, self._clock.now())
        if order is None:
            return False
        sent_at = self._clock.now()
        try:
            state = await self._fulfiller.submit(order)
        except OutcomeUnknown:
            raise  # it stays as sent: it is looked for before anything else
        except Rejected as err:
            log.warning(
                "shipment.refused",
                warehouse=self._place.key,
                reference=due.reference,
                field=err.field,
                reason=err.reason,
            )
            return await self._db.transact(
                note_refused, self._lease(), self._place, due.reference, str(err), self._clock.now()
            )
        except AdapterError:
            await self._db.transact(note_unsent, self._lease(), self._place, due.reference, self._clock.now())
            raise
        return await self._note(state, sent_at)

    def _has_settled(self, due: Due) -> bool:
        """Whether what was sent has arrived by now, or never will."""
        settle = timedelta(seconds=self._fulfiller.traits.settle_s)
        return due.submitted_at is None or self._clock.now() - due.submitted_at >= settle

    async def _note(self, told: ShipmentState, read_at: datetime) -> bool:
        changed = await self._db.transact(note_shipment, self._lease(), self._place, told, read_at, self._clock.now())
        if changed:
            log.info("shipment.noted", warehouse=self._place.key, reference=told.reference, status=told.status.value)
        return changed

    # --- stopping ----------------------------------------------------------------------------------------------------

    async def _cancel(self, due: Due) -> bool:
        """See how far it has come, then cancel it. Only what the warehouse says is cancelled is free."""
        read_at = self._clock.now()
        there = await self._fulfiller.find(due.reference)
        changed = await self._note(there, read_at) if there is not None else False
        if there is None and due.state == "submitted":
            if not self._has_settled(due):
                return False
            return await self._db.transact(
                note_never_arrived, self._lease(), self._place, due.reference, self._clock.now()
            )
        settle_s = self._fulfiller.traits.settle_s
        cancelling = await self._db.transact(
            mark_cancelling, self._lease(), self._place, due.reference, settle_s, self._clock.now()
        )
        if cancelling is None:
            return changed
        return await self._send_cancellation(due.reference, cancelling) or changed

    async def _send_cancellation(self, reference: str, cancelling: Cancelling) -> bool:
        reason: str | None
        try:
            outcome = await self._fulfiller.cancel(cancelling.warehouse_shipment_id)
        except OutcomeUnknown:
            raise  # it stays as sent: the next round sees what became of it
        except Rejected as err:
            done, reason = False, str(err)
        except AdapterError:
            if cancelling.first:
                await self._db.transact(unmark_cancelling, self._lease(), self._place, reference)
            raise
        else:
            done, reason = outcome.done, outcome.reason
        now = self._clock.now()
        log.info("shipment.cancelled" if done else "shipment.too_late", warehouse=self._place.key, reference=reference)
        if done:
            return await self._db.transact(note_cancelled, self._lease(), self._place, reference, now)
        why = reason or "it does not say why"
        return await self._db.transact(note_too_late, self._lease(), self._place, reference, why, now)


def _finish_poll(connection: Connection, lease: Lease, warehouse_id: int, started_at: datetime, now: datetime) -> None:
    guard(connection, lease)
    move_cursor(connection, warehouse_id, SHIPMENTS, started_at, now)
