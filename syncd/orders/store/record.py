"""Record what applying orders has changed, set-based: a handful of statements whatever the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import StaleLoad
from syncd.db.rows import insert_rows, rows, selectable, upsert
from syncd.db.tables import (
    decision,
    line_component,
    order_line,
    recipient,
    reservation,
    sales_order,
    shortage,
)
from syncd.insight.store import add_lags, add_tallies
from syncd.orders.book import AccountView, LineBook, OrderStanding, ShortageReason
from syncd.orders.decide import OrderChange, settled_notices
from syncd.publishing.marks import eat_holds, mark_dirty, note_sales
from syncd.stock.ledger import Cause, Ledger
from syncd.stock.shorts import tell_shorts
from syncd.stock.store import record_ledger


class OrderMoved(StaleLoad):
    """An order was not as it had been loaded: the transaction is rolled back and nothing has happened."""


LineIds = dict[Hashable, int]
"""order_line.id by (account_id, channel_order_id, channel_line_id)"""


def record_changes(
    connection: Connection,
    changes: Sequence[OrderChange],
    ledger: Ledger,
    accounts: Mapping[int, AccountView],
    now: datetime,
) -> None:
    """Write orders, lines, reservations, shortages, ledger, decisions, alerts and what became dirty."""
    if not changes:
        return
    _record_orders(connection, [change for change in changes if change.state is not None], now)
    _record_touches(connection, [change for change in changes if change.state is None], now)
    line_ids = _record_lines(connection, changes)
    _record_covers(connection, changes, line_ids, now)
    record_ledger(connection, ledger, lambda cause: _cause_key(cause, line_ids))
    tell_shorts(connection, ledger.changed(), now)
    _record_decisions(connection, changes, accounts, now)
    sales = [sale for change in changes for sale in change.sales]
    note_sales(connection, sales, {a.account_id: a.granularity_s for a in accounts.values()})
    eaten = eat_holds(connection, sales, max((a.staleness_s for a in accounts.values()), default=0.0), now)
    _mark_dirty(connection, changes, ledger, eaten, accounts, now)
    _record_figures(connection, changes, accounts, now)
    _record_alerts(connection, changes, accounts, now)


def _record_orders(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    if not changes:
        return
    columns = [
        ("account_id", int),
        ("channel_order_id", str),
        ("name", str),
        ("state", str),
        ("way", str),
        ("digest", str),
        ("test", int),
        ("currency", str),
        ("country", str),
        ("postcode_prefix", str),
        ("review", str),
        ("applications", int),
        ("version_at", datetime),
        ("placed_at", datetime),
        ("first_applied_at", datetime),
        ("last_shipped_at", datetime),
    ]
    data = []
    for change in changes:
        state, book = change.state, change.book
        assert state is not None
        data.append(
            (
                book.account_id,
                book.channel_order_id,
                state.name,
                (change.standing or OrderStanding.OPEN).value,
                book.way,
                book.digest,
                int(state.test),
                state.currency,
                book.country,
                book.postcode_prefix,
                change.review,
                book.applications,
                state.version_at,
                state.placed_at,
                now,
                now if change.shipped_units else None,
            )
        )
    source = rows(connection, "told", columns, data)
    statement = upsert(connection, sales_order).from_select([name for name, _ in columns], selectable(source))
    kept = {"account_id", "channel_order_id", "way", "placed_at", "first_applied_at", "last_shipped_at"}
    new = {name: statement.excluded[name] for name, _ in columns if name not in kept}
    shipped = statement.excluded.last_shipped_at
    found = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "channel_order_id"],
            set_={**new, "last_shipped_at": func.coalesce(shipped, sales_order.c.last_shipped_at)},
            where=sales_order.c.applications == statement.excluded.applications - 1,
        ).returning(sales_order.c.id, sales_order.c.account_id, sales_order.c.channel_order_id)
    )
    ids = {(row.account_id, row.channel_order_id): row.id for row in found}
    if len(ids) != len(changes):
        raise OrderMoved(f"{len(changes) - len(ids)} of {len(changes)} orders moved while they were being written")
    for change in changes:
        change.book.order_id = ids[(change.book.account_id, change.book.channel_order_id)]
    _record_recipients(connection, changes)


def _record_touches(connection: Connection, changes: Sequence[OrderChange], now: datetime) -> None:
    """Orders that only our own doing changed: covered later, or shipped by hand."""
    if not changes:
        return
    columns = [("id", int), ("applications", int), ("state", str), ("last_shipped_at", datetime)]
    data = [
        (
            change.book.order_id,
            change.book.applications,
            change.standing.value if change.standing else None,
            now if change.shipped_units else None,
        )
        for change in changes
    ]
    touched = rows(connection, "touched", columns, data)
    connection.execute(
        update(sales_order)
        .values(
            applications=touched.c.applications,
            state=func.coalesce(touched.c.state, sales_order.c.state),
            last_shipped_at=func.coalesce(touched.c.last_shipped_at, sales_order.c.last_shipped_at),
        )
        .where(sales_order.c.id == touched.c.id)
    )


def _record_recipients(connection: Connection, changes: Sequence[OrderChange]) -> None:
    data = []
    for change in changes:
        to = change.state.ship_to if change.state else None
        if to is not None:
            street = "\n".join(to.lines) or None
            data.append((change.book.order_id, to.name, street, to.city, to.province, to.postcode, to.country))
    if not data:
        return
    columns = [
        ("order_id", int),
        ("name", str),
        ("street", str),
        ("city", str),
        ("province", str),
        ("postcode", str),
        ("country", str),
    ]
    source = rows(connection, "told", columns, data)
    statement = upsert(connection, recipient).from_select([name for name, _ in columns], selectable(source))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["order_id"],
            set_={name: statement.excluded[name] for name, _ in columns[1:]},
            where=recipient.c.erased_at.is_(None),  # what was erased stays erased
        )
    )


def _record_lines(connection: Connection, changes: Sequence[OrderChange]) -> LineIds:
    columns = [
        ("order_id", int),
        ("channel_line_id", str),
        ("line_key", str),
        ("code", str),
        ("listing_id", int),
        ("quantity", int),
        ("fulfilled", int),
        ("shipped", int),
        ("taken_min", int),
        ("taken_max", int),
        ("oversold", int),
        ("parked", str),
        ("unit_price_minor", int),
        ("currency", str),
        ("placed_at", datetime),
    ]
    data = [
        (
            change.book.order_id,
            line.channel_line_id,
            line.line_key,
            line.code,
            line.listing_id,
            line.quantity,
            line.fulfilled,
            line.shipped,
            line.taken_min,
            line.taken_max,
            line.oversold,
            line.parked,
            line.unit_price_minor,
            line.currency,
            line.placed_at,
        )
        for change in changes
        for line in change.book.lines.values()
    ]
    if not data:
        return {}
    source = rows(connection, "told", columns, data)
    statement = upsert(connection, order_line).from_select([name for name, _ in columns], selectable(source))
    found = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["order_id", "channel_line_id"],
            set_={name: statement.excluded[name] for name, _ in columns[2:] if name != "placed_at"},
        ).returning(order_line.c.id, order_line.c.order_id, order_line.c.channel_line_id)
    )
    owners = {change.book.order_id: change.book for change in changes}
    line_ids: LineIds = {}
    for row in found:
        book = owners[row.order_id]
        book.lines[row.channel_line_id].line_id = row.id
        line_ids[(book.account_id, book.channel_order_id, row.channel_line_id)] = row.id
    return line_ids


def _cause_key(cause: Cause, line_ids: LineIds) -> str:
    return f"line/{line_ids[cause.subject]}"


def _lines(changes: Sequence[OrderChange]) -> list[LineBook]:
    return [line for change in changes for line in change.book.lines.values()]


def _record_covers(connection: Connection, changes: Sequence[OrderChange], line_ids: LineIds, now: datetime) -> None:
    lines = _lines(changes)
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


def _record_decisions(
    connection: Connection, changes: Sequence[OrderChange], accounts: Mapping[int, AccountView], now: datetime
) -> None:
    data = []
    for change in changes:
        if change.decision is None:
            continue
        plan = change.decision["plan"]
        inputs = {name: value for name, value in change.decision.items() if name != "plan"}
        data.append(
            (
                "allocation",
                change.book.order_id,
                str(accounts[change.book.account_id].policy),
                int(plan.get("version", 1)),
                msgspec.json.encode(inputs).decode(),
                msgspec.json.encode(plan).decode(),
                now,
            )
        )
    columns = [
        ("kind", str),
        ("order_id", int),
        ("policy", str),
        ("policy_version", int),
        ("inputs", str),
        ("outcome", str),
        ("decided_at", datetime),
    ]
    insert_rows(connection, decision, columns, data)


def _mark_dirty(
    connection: Connection,
    changes: Sequence[OrderChange],
    ledger: Ledger,
    eaten: set[int],
    accounts: Mapping[int, AccountView],
    now: datetime,
) -> None:
    """Every listing made of a SKU whose availability, shortage or hold changed must be looked at again."""
    since: dict[int, datetime | None] = {movement.sku_id: None for movement in ledger.movements}
    since.update(dict.fromkeys(eaten))
    for change in changes:
        for line in change.book.lines.values():
            for sku_id, _ in line.components:
                if change.is_new and accounts[change.book.account_id].live:
                    oldest = since.get(sku_id)
                    since[sku_id] = min(oldest, line.placed_at) if oldest else line.placed_at
                else:
                    since.setdefault(sku_id, None)
    mark_dirty(connection, since, now, urgency=0)


def _record_figures(
    connection: Connection, changes: Sequence[OrderChange], accounts: Mapping[int, AccountView], now: datetime
) -> None:
    totals: Counter[tuple[str, str]] = Counter()
    lags = []
    for change in changes:
        account = accounts[change.book.account_id]
        scope = f"account:{account.key}"
        if change.is_new and change.state is not None:
            totals[(scope, f"orders_in.{change.book.way}")] += 1
            if account.live:  # what an observing account takes in may be weeks old
                seconds = (now - change.state.placed_at).total_seconds()
                lags.append((account.account_id, f"placed_to_book.{change.book.way}", seconds))
        elif change.state is not None:
            totals[(scope, "orders_changed")] += 1
        totals[(scope, "oversold_units")] += change.oversold_units
        totals[(scope, "shipped_units")] += change.shipped_units
        keys = {warehouse.warehouse_id: warehouse.key for warehouse in account.pool}
        for warehouse_id, pieces in change.reserved.items():
            totals[(f"warehouse:{keys[warehouse_id]}", "units_reserved")] += pieces
    add_tallies(connection, totals)
    add_lags(connection, lags)


def _record_alerts(
    connection: Connection, changes: Sequence[OrderChange], accounts: Mapping[int, AccountView], now: datetime
) -> None:
    opened = [
        Alert(notice.key, notice.kind, notice.impact, notice.message, change.book.account_id)
        for change in changes
        for notice in change.notices
        if notice.message is not None
    ]
    closing = {notice.key for change in changes for notice in change.notices if notice.message is None}
    closing |= {notice.key for notice in settled_notices(changes, dict(accounts))}
    closing -= {alert.key for alert in opened}
    open_alerts(connection, opened, now)
    close_alerts(connection, closing, now)
