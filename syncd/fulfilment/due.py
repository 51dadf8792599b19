"""What is to be sent to a warehouse now, and the marks that are committed before it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Executable, and_, func, or_, select

from adapters.warehouse import ShipmentOrder
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import account, sales_order, shipment_request
from syncd.fulfilment.request import OPEN, can_be_sent, compose, load_request, note_submission, save_request
from syncd.fulfilment.settle import drop_unsent
from syncd.fulfilment.survey import Outside
from syncd.insight.store import add_tallies


@dataclass(frozen=True, slots=True)
class Due:
    """A request that waits for the warehouse."""

    reference: str
    state: str
    submitted_at: datetime | None
    attempts: int


def load_unsent(connection: Connection, warehouse_id: int, limit: int) -> list[Due]:
    """Requests to be sent, and ones sent without an answer; those tried least come first."""
    return [Due(*row) for row in _unsent(connection, warehouse_id=warehouse_id, limit=limit)]


@statement
def _unsent(given: Given) -> Executable:
    table = shipment_request
    return (
        select(table.c.reference, table.c.state, table.c.submitted_at, table.c.attempts)
        .join(sales_order, sales_order.c.id == table.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(
            table.c.warehouse_id == given.value("warehouse_id", int),
            _is_open(),
            or_(and_(table.c.state == "planned", account.c.state == "live"), table.c.state == "submitted"),
            table.c.cancel_wanted_at.is_(None),
        )
        .order_by(table.c.attempts, table.c.id)
        .limit(given.value("limit", int))
    )


def load_recalled(connection: Connection, warehouse_id: int, limit: int) -> list[Due]:
    """Sent requests that are to be cancelled, but for those that the warehouse would not cancel."""
    return [Due(*row) for row in _recalled(connection, warehouse_id=warehouse_id, limit=limit)]


@statement
def _recalled(given: Given) -> Executable:
    table = shipment_request
    return (
        select(table.c.reference, table.c.state, table.c.submitted_at, table.c.attempts)
        .where(
            table.c.warehouse_id == given.value("warehouse_id", int),
            _is_open(),
            table.c.state.in_([constant("submitted"), constant("accepted")]),
            table.c.cancel_wanted_at.is_not(None),
            table.c.too_late_at.is_(None),
        )
        .order_by(func.coalesce(table.c.cancel_sent_at, 0), table.c.id)
        .limit(given.value("limit", int))
    )


def _is_open() -> ColumnElement[bool]:
    # As the partial index has it, or every request ever made is looked at.
    return shipment_request.c.state.in_([constant(state) for state in OPEN])


@dataclass(frozen=True, slots=True)
class NotSent:
    """A request is not to be sent. `dropped`: it ended just now, as its order has changed."""

    dropped: bool


def mark_sending(
    connection: Connection, lease: Lease, place: Outside, reference: str, now: datetime
) -> ShipmentOrder | NotSent:
    """Note that a request is about to be sent, and give what is sent. The warehouse surely does not have it yet."""
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, reference)
    if request is None or request.state not in ("planned", "submitted") or request.cancel_wanted_at is not None:
        return NotSent(dropped=False)
    if not can_be_sent(connection, request):
        drop_unsent(connection, place, request, now)
        return NotSent(dropped=True)
    if not request.attempts:
        add_tallies(connection, {(f"warehouse:{place.key}", "shipments_submitted"): 1})
    save_request(connection, request, state="submitted", submitted_at=now, attempts=request.attempts + 1)
    note_submission(connection, request, now)
    return compose(connection, request)


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A cancellation that is about to be sent. `first`: none before it may have taken effect."""

    warehouse_shipment_id: str
    first: bool


def mark_cancelling(
    connection: Connection, lease: Lease, place: Outside, reference: str, settle_s: float, now: datetime
) -> Cancelling | None:
    """Note that a cancellation is about to be sent; None when there is none to be sent now."""
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, reference)
    if request is None or request.state != "accepted" or request.warehouse_shipment_id is None:
        return None
    if request.cancel_wanted_at is None or request.too_late_at is not None:
        return None
    before = request.cancel_sent_at
    if before is not None and now - before < timedelta(seconds=settle_s):
        return None
    save_request(connection, request, cancel_sent_at=now)
    return Cancelling(request.warehouse_shipment_id, before is None)


def unmark_cancelling(connection: Connection, lease: Lease, place: Outside, reference: str) -> None:
    """The cancellation surely had no effect, and none before it may have had one."""
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, reference)
    if request is not None and request.state == "accepted":
        save_request(connection, request, cancel_sent_at=None)
