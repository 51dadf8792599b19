"""What an order's change does to what warehouses were asked to ship of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Executable, and_, or_, select, tuple_, update

from syncd.db.statements import Given, statement
from syncd.db.tables import shipment_request
from syncd.orders.change import OrderChange


def record_recalls(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    """End requests never sent, note which sent ones are to be cancelled, and which are not after all.

    Of a cancelled order that is every one, also where its channel has called the goods sent before.
    """
    changes = [change for change in changes if change.had_requests or change.is_cancelled]
    if not changes:
        return
    _end_unsent(connection, _pairs(changes, "withdrawn"), now)
    these = {
        "touched": [(change.book.order_id,) for change in changes],
        "recalled": _pairs(changes, "recalled"),
        "dropped": [(change.book.order_id,) for change in changes if change.is_cancelled],
    }
    if these["recalled"] or these["dropped"]:
        _recall(connection, **these, now=now)
    _unrecall(connection, **these)


@statement
def _recall(given: Given) -> Executable:
    return (
        update(shipment_request)
        .values(cancel_wanted_at=given.value("now", datetime))
        .where(_was_sent(given), shipment_request.c.cancel_wanted_at.is_(None), _is_recalled(given))
    )


@statement
def _unrecall(given: Given) -> Executable:
    return (
        update(shipment_request)
        .values(cancel_wanted_at=None)
        .where(
            _was_sent(given),
            shipment_request.c.cancel_wanted_at.is_not(None),
            shipment_request.c.cancel_sent_at.is_(None),  # else it is done with: what it frees is planned anew
            shipment_request.c.too_late_at.is_(None),
            ~_is_recalled(given),
        )
    )


def _was_sent(given: Given) -> ColumnElement[bool]:
    touched = given.rows("touched", order_id=int)
    touching = shipment_request.c.order_id.in_(select(touched.c.order_id))
    return and_(touching, shipment_request.c.state.in_(("submitted", "accepted")))


def _is_recalled(given: Given) -> ColumnElement[bool]:
    recalled = given.rows("recalled", order_id=int, warehouse_id=int)
    dropped = given.rows("dropped", order_id=int)
    pair = tuple_(shipment_request.c.order_id, shipment_request.c.warehouse_id)
    return or_(
        pair.in_(select(recalled.c.order_id, recalled.c.warehouse_id)),
        shipment_request.c.order_id.in_(select(dropped.c.order_id)),
    )


def _end_unsent(connection: Connection, withdrawn: Sequence[tuple[int | None, int]], now: datetime) -> None:
    if withdrawn:
        _withdraw(connection, withdrawn=withdrawn, now=now)


@statement
def _withdraw(given: Given) -> Executable:
    table = shipment_request
    withdrawn = given.rows("withdrawn", order_id=int, warehouse_id=int)
    pair = tuple_(table.c.order_id, table.c.warehouse_id)
    return (
        update(table)
        .values(
            state="cancelled",
            reason="the order changed before it was sent",
            settled_at=given.value("now", datetime),
        )
        .where(table.c.state == "planned", pair.in_(select(withdrawn.c.order_id, withdrawn.c.warehouse_id)))
    )


def _pairs(changes: Sequence[OrderChange], which: str) -> list[tuple[int | None, int]]:
    return [(c.book.order_id, warehouse_id) for c in changes for warehouse_id in sorted(getattr(c, which))]
