"""Work with one outside warehouse that ships for us: ask it, hear it, stop it, and read its stock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, Executable, select
from sqlalchemy.exc import OperationalError

from adapters.contract import AdapterError, AuthExpired, Clock, RateLimited
from adapters.warehouse import Fulfiller, ShipmentState
from syncd.alerts.store import open_alerts
from syncd.db.database import DatabaseClosed, Transactor
from syncd.db.lease import Fenced, Lease, guard
from syncd.db.statements import Given, statement
from syncd.db.tables import line_component, order_line, sales_order, shipment_request
from syncd.fulfilment import alerts
from syncd.fulfilment.asking import ask
from syncd.fulfilment.cursors import SHIPMENTS, move_cursor, shipments_since
from syncd.fulfilment.desk import Desk
from syncd.fulfilment.due import Due, load_recalled, load_unsent
from syncd.fulfilment.plan import plan_shipments
from syncd.fulfilment.reach import Reach
from syncd.fulfilment.rounds import Rests, Round, Turns, work_off
from syncd.fulfilment.settle import is_news, load_known, note_stuck
from syncd.fulfilment.stock_reader import Heard, StockReader
from syncd.fulfilment.stopping import stop
from syncd.fulfilment.survey import Outside, Survey, survey
from syncd.orders.book import AccountView

log = structlog.get_logger(__name__)

_PLANNED: Final = 100  # orders planned in one transaction
_ROUND: Final = 500  # requests looked at in one round
_OPEN: Final = ("planned", "submitted", "accepted")  # states of requests that are not over
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
        self._desk = Desk(self._place, fulfiller, db, clock, lease)
        self._fulfiller = fulfiller
        self._db = db
        self._clock = clock
        self._lease = lease
        self._grace_s = grace_s
        self._reach = Reach(warehouse_id, key, db, clock, lease)
        self._stock = StockReader(warehouse_id, key, fulfiller, db, clock, lease, self._reach, self._hear_all)
        self._turns = {name: asyncio.Lock() for name in ("submit", "poll", "cancel")}
        self._order = {"submit": Turns(), "cancel": Turns()}
        self._rests = Rests()
        self._heard_news = False
        self.last_poll_at: datetime | None = None

    @property
    def last_stock_at(self) -> datetime | None:
        return self._stock.last_stock_at

    async def read_stock(self) -> bool:
        """Read and book every level once, and before that what became of shipments."""
        self._heard_news = False
        return await self._stock.read_stock() or self._heard_news

    async def submit_due(self) -> bool:
        """Plan what has become due, and send what is planned; look first for what was sent without an answer."""
        async with self._turns["submit"]:
            planned, due = await self._plan()
            changed = await self._work_off("submit", due, ask)
            if planned.mishap is not None:
                raise planned.mishap
            return changed or planned.changed

    async def cancel_due(self) -> bool:
        """Ask for what nobody wants any more not to leave."""
        async with self._turns["cancel"]:
            due = await self._db.read(load_recalled, self._place.warehouse_id, _ROUND)
            return await self._work_off("cancel", due, stop)

    async def poll(self) -> bool:
        """Hear of every shipment that changed. The cursor moves only when all of them are booked."""
        heard = await self._poll()
        if heard.mishap is not None:
            raise heard.mishap
        return heard.changed

    async def _hear_all(self) -> Heard:
        heard = await self._poll()
        self._heard_news = self._heard_news or heard.changed
        if isinstance(heard.mishap, OperationalError):
            raise heard.mishap
        unbooked = [reference for reference, _ in heard.unbooked]
        unsure = await self._db.read(_skus_of, self._place.warehouse_id, unbooked) if unbooked else frozenset()
        return Heard(heard.down is None, unsure)

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
                return heard  # the cursor stays: what could not be booked is heard again
            await self._db.transact(
                _finish_poll, self._lease(), self._place.warehouse_id, started_at, self._clock.now()
            )
            self.last_poll_at = self._clock.now()
            return heard

    async def _hear(self, states: Sequence[ShipmentState], read_at: datetime, heard: Round) -> None:
        known = await self._db.read(load_known, self._place.warehouse_id, [each.reference for each in states])
        news = [told for told in states if is_news(told, known.get(told.reference))]
        done = await work_off(news, lambda told: told.reference, lambda told: self._desk.note(told, read_at))
        heard.changed = heard.changed or done.changed
        heard.mishap = heard.mishap or done.mishap
        heard.unbooked += done.unbooked
        for reference, err in done.unbooked:
            if not isinstance(err, OperationalError):  # the database was busy: that is no shipment's fault
                await self._tell_held_up(reference, f"what it says of it cannot be booked ({type(err).__name__})")

    async def _plan(self) -> tuple[Round, Sequence[Due]]:
        """What came of it, and the requests that are to be sent then."""
        done = Round()
        while True:
            found, due = await self._db.read(_look, self._place, self._grace_s, self._clock.now())
            if found.is_empty:
                return done, due
            try:
                planned = await self._plan_together(found)
            except (Fenced, DatabaseClosed, OperationalError):
                raise
            except Exception as err:  # one order that cannot be planned stops no other
                log.error("shipments.unplanned", warehouse=self._place.key, error=type(err).__name__, exc_info=err)
                alone = await work_off(found.ready, str, partial(self._plan_alone, found))
                mishap = alone.mishap or err
                return Round(done.changed or alone.changed, mishap=mishap), await self._unsent()
            done.changed = done.changed or planned > 0
            if planned < _PLANNED:
                return done, await self._unsent()

    async def _unsent(self) -> Sequence[Due]:
        return await self._db.read(load_unsent, self._place.warehouse_id, _ROUND)

    async def _plan_together(self, found: Survey) -> int:
        now = self._clock.now()
        planned = await self._db.transact(plan_shipments, self._lease(), self._place, found, self._grace_s, now)
        if planned:
            log.info("shipments.planned", warehouse=self._place.key, orders=planned)
        return planned

    async def _plan_alone(self, found: Survey, order_id: int) -> bool:
        return await self._plan_together(replace(found, ready=(order_id,), opening=(), closing=())) > 0

    async def _work_off(self, activity: str, due: Sequence[Due], work: Callable[[Desk, Due], Awaitable[bool]]) -> bool:
        if not due:
            await self._reach.idle(activity)
        if not due or not self._rests.are_over(activity, self._clock.now()):
            return False
        turns = self._order[activity]
        in_turn = turns.in_order(due, lambda each: each.reference)
        done = await work_off(in_turn, lambda each: each.reference, partial(work, self._desk))
        turns.note(done)
        self._rests.note(activity, done, self._clock.now())
        if done.down is not None and _is_down(done):
            await self._reach.failed(activity, done.down)
        else:
            if done.worked:  # a lone request that fails tells nothing of the warehouse either way
                await self._reach.worked(activity)
            await self._tell_stuck(due, done, turns)
        if done.mishap is not None:
            raise done.mishap
        return done.changed

    async def _tell_stuck(self, due: Sequence[Due], done: Round, turns: Turns) -> None:
        """Tell of single requests that fail again and again while the warehouse works."""
        known = {each.reference: each for each in due}
        for reference, err in done.failed:
            if isinstance(err, RateLimited) or max(known[reference].attempts, turns.times(reference)) < _STUCK_AFTER:
                continue
            if known[reference].state == "accepted":
                await self._tell_held_up(reference, str(err))
            else:
                now = self._clock.now()
                await self._db.transact(note_stuck, self._lease(), self._place, reference, str(err), now)

    async def _tell_held_up(self, reference: str, reason: str) -> None:
        now = self._clock.now()
        await self._db.transact(_open_exception, self._lease(), self._place, reference, reason, now)


def _look(connection: Connection, place: Outside, grace_s: float, now: datetime) -> tuple[Survey, Sequence[Due]]:
    """What there is to plan, and if that is nothing, as nearly always, what there is to send."""
    found = survey(connection, place, grace_s, _PLANNED, now)
    return found, load_unsent(connection, place.warehouse_id, _ROUND) if found.is_empty else ()


def _is_down(done: Round) -> bool:
    """Whether a failed round is the warehouse's fault, and not that of one request or of our haste."""
    if isinstance(done.down, RateLimited):
        return False
    return isinstance(done.down, AuthExpired) or (len(done.failed) > 1 and not done.worked)


def _open_exception(
    connection: Connection, lease: Lease, place: Outside, reference: str, reason: str, now: datetime
) -> None:
    """Tell people of an open shipment, which is closed again when its news are booked."""
    guard(connection, lease)
    found = _open_order(connection, warehouse_id=place.warehouse_id, reference=reference).one_or_none()
    if found is not None:
        told = alerts.exception(
            place.warehouse_id, place.key, found.order_id, found.name or "", found.account_id, reason
        )
        open_alerts(connection, [told], now)


@statement
def _open_order(given: Given) -> Executable:
    table = shipment_request
    return (
        select(table.c.order_id, sales_order.c.name, sales_order.c.account_id)
        .join(sales_order, sales_order.c.id == table.c.order_id)
        .where(
            table.c.warehouse_id == given.value("warehouse_id", int),
            table.c.reference == given.value("reference", str),
            table.c.state.in_(_OPEN),
        )
    )


def _skus_of(connection: Connection, warehouse_id: int, references: Sequence[str]) -> frozenset[int]:
    """Every SKU of the orders of those of these shipments that still count in its levels."""
    wanted = [(each,) for each in sorted(set(references))]
    return frozenset(_counted_skus(connection, wanted=wanted, warehouse_id=warehouse_id).scalars())


@statement
def _counted_skus(given: Given) -> Executable:
    wanted = given.rows("wanted", reference=str)
    here = shipment_request.c.warehouse_id == given.value("warehouse_id", int)
    return (
        select(line_component.c.sku_id)
        .join(order_line, order_line.c.id == line_component.c.order_line_id)
        .join(shipment_request, shipment_request.c.order_id == order_line.c.order_id)
        .join(wanted, wanted.c.reference == shipment_request.c.reference)
        .where(here, shipment_request.c.state.in_(_OPEN))
    )


def _finish_poll(connection: Connection, lease: Lease, warehouse_id: int, started_at: datetime, now: datetime) -> None:
    guard(connection, lease)
    move_cursor(connection, warehouse_id, SHIPMENTS, started_at, now)
