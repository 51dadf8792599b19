"""What an order's change does to what warehouses were asked to ship of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select, tuple_, update

from syncd.db.rows import rows
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
    recalled = _pairs(changes, "recalled")
    table = shipment_request
    was_sent = table.c.state.in_(("submitted", "accepted"))
    pair = tuple_(table.c.order_id, table.c.warehouse_id)
    wanted = rows(connection, "recalled", [("order_id", int), ("warehouse_id", int)], recalled)
    told = [(change.book.order_id,) for change in changes]
    touched = rows(connection, "touched", [("order_id", int)], told)
    touching = table.c.order_id.in_(select(touched.c.order_id))
    cancelled = [(change.book.order_id,) for change in changes if change.is_cancelled]
    dropped = rows(connection, "dropped", [("order_id", int)], cancelled)
    these = or_(
        pair.in_(select(wanted.c.order_id, wanted.c.warehouse_id)), table.c.order_id.in_(select(dropped.c.order_id))
    )
    if recalled or cancelled:
        connection.execute(
            update(table)
            .values(cancel_wanted_at=now)
            .where(touching, was_sent, table.c.cancel_wanted_at.is_(None), these)
        )
    connection.execute(
        update(table)
        .values(cancel_wanted_at=None)
        .where(
            touching,
            was_sent,
            table.c.cancel_wanted_at.is_not(None),
            table.c.cancel_sent_at.is_(None),  # else it is done with: what it frees is planned anew
            table.c.too_late_at.is_(None),
            ~these,
        )
    )


def _end_unsent(connection: Connection, withdrawn: Sequence[tuple[int | None, int]], now: datetime) -> None:
    if not withdrawn:
        return
    table = shipment_request
    ended = rows(connection, "withdrawn", [("order_id", int), ("warehouse_id", int)], withdrawn)
    connection.execute(
        update(table)
        .values(state="cancelled", reason="the order changed before it was sent", settled_at=now)
        .where(
            table.c.state == "planned",
            tuple_(table.c.order_id, table.c.warehouse_id).in_(select(ended.c.order_id, ended.c.warehouse_id)),
        )
    )


def _pairs(changes: Sequence[OrderChange], which: str) -> list[tuple[int | None, int]]:
    return [(c.book.order_id, warehouse_id) for c in changes for warehouse_id in sorted(getattr(c, which))]
