"""What covers an order's lines as rows: components, reservations, shortages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from syncd.db.rows import insert_rows, rows, selectable, upsert
from syncd.db.tables import line_component, reservation, shortage
from syncd.orders.book import LineBook, ShortageReason
from syncd.orders.change import OrderChange


def record_covers(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    """Write what every line of these orders is made of and covered by; shortages that ended are closed."""
    lines = [line for change in changes for line in change.book.lines.values()]
    insert_rows(
        connection,
        line_component,
        [("order_line_id", int), ("sku_id", int), ("units", int)],
        [(line.line_id, sku_id, units) for line in lines for sku_id, units in line.components],
        ignore=True,
    )
    held = [
        (line.line_id, sku_id, warehouse_id, stage, units * pieces)
        for line in lines
        for warehouse_id, stage, units in line.stages()
        for sku_id, pieces in line.components
    ]
    if held:
        columns = [
            ("order_line_id", int),
            ("sku_id", int),
            ("warehouse_id", int),
            ("stage", str),
            ("quantity", int),
        ]
        source = rows(connection, "held", columns, held)
        statement = upsert(connection, reservation).from_select([name for name, _ in columns], selectable(source))
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["order_line_id", "sku_id", "warehouse_id", "stage"],
                set_={"quantity": statement.excluded.quantity},
            )
        )
    known = [line for change in changes if not change.is_new for line in change.book.lines.values()]
    _record_shortages(connection, lines, known, now)


def _record_shortages(
    connection: Connection, lines: Sequence[LineBook], known: Sequence[LineBook], now: datetime
) -> None:
    wanted: list[tuple[int | None, int | None, int, str, datetime]] = []
    for line in lines:
        if line.short:
            reason = (line.short_reason or ShortageReason.UNCOVERED).value
            parts: tuple[tuple[int | None, int], ...] = line.components or ((None, 1),)
            wanted += [(line.line_id, sku_id, line.short * units, reason, now) for sku_id, units in parts]
    columns = [("order_line_id", int), ("sku_id", int), ("quantity", int), ("reason", str), ("opened_at", datetime)]
    for mapped in (True, False):  # each kind has a partial index of its own
        data = [row for row in wanted if (row[1] is not None) == mapped]
        open_and = and_(
            shortage.c.closed_at.is_(None), shortage.c.sku_id.is_not(None) if mapped else shortage.c.sku_id.is_(None)
        )
        _close_shortages(connection, known, [row[:2] for row in data], open_and, now)
        if not data:
            continue
        source = rows(connection, "short", columns, data)
        statement = upsert(connection, shortage).from_select([name for name, _ in columns], selectable(source))
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["order_line_id", "sku_id"] if mapped else ["order_line_id"],
                index_where=open_and,
                set_={"quantity": statement.excluded.quantity, "reason": statement.excluded.reason},
            )
        )


def _close_shortages(
    connection: Connection,
    known: Sequence[LineBook],
    kept: Sequence[tuple[int | None, int | None]],
    open_and: ColumnElement[bool],
    now: datetime,
) -> None:
    """Close the open shortages of lines known before, but for those `kept`, (line_id, sku_id)."""
    if not known:
        return
    touched = rows(connection, "touched", [("line_id", int)], [(line.line_id,) for line in known])
    keep = rows(connection, "keep", [("line_id", int), ("sku_id", int)], kept)
    same_sku = or_(keep.c.sku_id == shortage.c.sku_id, keep.c.sku_id.is_(None))
    connection.execute(
        update(shortage)
        .values(closed_at=now)
        .where(
            open_and,
            shortage.c.order_line_id.in_(select(touched.c.line_id)),
            ~exists().where(keep.c.line_id == shortage.c.order_line_id, same_sku),
        )
    )
