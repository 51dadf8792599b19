"""Record what applying orders has changed, set-based: a handful of statements whatever the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from syncd.alerts.outbox import ORDER_ALLOCATED, is_wanted, note_events
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.rows import insert_rows
from syncd.db.tables import (
    decision,
)
from syncd.insight.store import add_lags, add_tallies
from syncd.orders.book import AccountView
from syncd.orders.change import OrderChange
from syncd.orders.decide import settled_notices
from syncd.orders.store.cover_rows import record_covers
from syncd.orders.store.order_rows import LineIds, give_ids, record_lines, record_orders, record_touches
from syncd.orders.store.recalls import record_recalls
from syncd.publishing.marks import eat_holds, lock_sold, mark_dirty, note_sales
from syncd.stock.ledger import Cause, Ledger
from syncd.stock.shorts import tell_shorts
from syncd.stock.store import record_ledger


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
    sales = [sale for change in changes for sale in change.sales]
    held = lock_sold(connection, sales)
    give_ids(connection, changes)
    record_orders(connection, [change for change in changes if change.state is not None], now)
    record_touches(connection, [change for change in changes if change.state is None], now)
    line_ids = record_lines(connection, changes)
    record_covers(connection, changes, now)
    record_recalls(connection, changes, now)
    record_ledger(connection, ledger, lambda cause: _cause_key(cause, line_ids))
    tell_shorts(connection, ledger.changed(), now)
    _record_decisions(connection, changes, accounts, now)
    views = accounts.values()
    granularity_s = max((view.granularity_s for view in views), default=0.0)
    note_sales(connection, sales, granularity_s, max((view.index_lag_s for view in views), default=0.0), now)
    eaten = eat_holds(connection, held, sales, max((view.staleness_s for view in views), default=0.0), now)
    _mark_dirty(connection, changes, ledger, eaten, accounts, now, also={sale.listing_id for sale in sales})
    _record_figures(connection, changes, accounts, now)
    _record_alerts(connection, changes, accounts, now)
    if is_wanted(connection, ORDER_ALLOCATED):
        allocated = [change for change in changes if change.decision is not None or change.reserved]
        note_events(connection, ORDER_ALLOCATED, map(_event, allocated), now)


def _event(change: OrderChange) -> dict[str, object]:
    """What webhooks hear of an allocation: pieces newly reserved, by warehouse, and units that found none."""
    short = sum(line.short for line in change.book.lines.values())
    return {"order_id": change.book.order_id, "reserved": change.reserved, "short": short}


def _cause_key(cause: Cause, line_ids: LineIds) -> str:
    return f"line/{line_ids[cause.subject]}"


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
    also: Collection[int],
) -> None:
    """Every listing made of a SKU whose availability, shortage or hold changed must be looked at again.

    `also` those that sold something: they may be made of other things by now, and are looked at for their own sake.
    """
    since: dict[int, datetime | None] = {movement.sku_id: None for movement in ledger.movements}
    since.update(dict.fromkeys(eaten))
    for change in changes:
        for line in change.book.lines.values():
            for sku_id, _ in () if line.by_channel else line.components:
                if change.is_new and accounts[change.book.account_id].live:
                    oldest = since.get(sku_id)
                    since[sku_id] = min(oldest, line.placed_at) if oldest else line.placed_at
                else:
                    since.setdefault(sku_id, None)
    mark_dirty(connection, since, now, urgency=0, also=also)


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
        Alert(
            notice.key,
            notice.kind,
            notice.impact,
            notice.message,
            change.book.account_id,
            subject=notice.subject,
            detail=notice.detail,
            units=notice.units,
            orders=notice.orders,
        )
        for change in changes
        for notice in change.notices
        if notice.message is not None
    ]
    closing = {notice.key for change in changes for notice in change.notices if notice.message is None}
    closing |= {notice.key for notice in settled_notices(changes, dict(accounts))}
    closing -= {alert.key for alert in opened}
    open_alerts(connection, opened, now)
    close_alerts(connection, closing, now)
