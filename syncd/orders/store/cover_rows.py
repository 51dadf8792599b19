"""What covers an order's lines as rows: components, reservations, shortages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Executable, and_, exists, or_, select, update

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, Statement, statement
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
        _hold(connection, held=held)
    known = [line for change in changes if not change.is_new for line in change.book.lines.values()]
    _record_shortages(connection, lines, known, now)


@statement
def _hold(given: Given) -> Executable:
    held = given.rows("held", order_line_id=int, sku_id=int, warehouse_id=int, stage=str, quantity=int)
    new = given.insert(reservation, held)
    return new.on_conflict_do_update(
        index_elements=["order_line_id", "sku_id", "warehouse_id", "stage"], set_={"quantity": new.excluded.quantity}
    )


def _record_shortages(
    connection: Connection, lines: Sequence[LineBook], known: Sequence[LineBook], now: datetime
) -> None:
    wanted: list[tuple[int | None, int | None, int, str, datetime]] = []
    for line in lines:
        if line.short:
            reason = (line.short_reason or ShortageReason.UNCOVERED).value
            parts: tuple[tuple[int | None, int], ...] = line.components or ((None, 1),)
            wanted += [(line.line_id, sku_id, line.short * units, reason, now) for sku_id, units in parts]
    touched = [(line.line_id,) for line in known]
    for kind, mapped in ((_MAPPED, True), (_UNMAPPED, False)):
        short = [row for row in wanted if (row[1] is not None) == mapped]
        if touched:
            kind.close(connection, touched=touched, kept=[row[:2] for row in short], now=now)
        if short:
            kind.open(connection, short=short)


class _Shortages:
    """Open shortages with a SKU, or without: each kind has a partial index of its own."""

    def __init__(self, kind: ColumnElement[bool], *names: str) -> None:
        self._is_open = and_(shortage.c.closed_at.is_(None), kind)
        self._names = names
        self.open = Statement(self._open)
        self.close = Statement(self._close)

    def _open(self, given: Given) -> Executable:
        short = given.rows("short", order_line_id=int, sku_id=int, quantity=int, reason=str, opened_at=datetime)
        new = given.insert(shortage, short)
        return new.on_conflict_do_update(
            index_elements=self._names,
            index_where=self._is_open,
            set_={"quantity": new.excluded.quantity, "reason": new.excluded.reason},
        )

    def _close(self, given: Given) -> Executable:
        """Those of lines touched, but for those kept."""
        touched = given.rows("touched", line_id=int)
        kept = given.rows("kept", line_id=int, sku_id=int)
        same_sku = or_(kept.c.sku_id == shortage.c.sku_id, kept.c.sku_id.is_(None))
        return (
            update(shortage)
            .values(closed_at=given.value("now", datetime))
            .where(
                self._is_open,
                shortage.c.order_line_id.in_(select(touched.c.line_id)),
                ~exists().where(kept.c.line_id == shortage.c.order_line_id, same_sku),
            )
        )


_MAPPED = _Shortages(shortage.c.sku_id.is_not(None), "order_line_id", "sku_id")
_UNMAPPED = _Shortages(shortage.c.sku_id.is_(None), "order_line_id")
