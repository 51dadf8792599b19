"""Every alert is opened once and closed when what it tells of is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from syncd.db.tables import account, alert, level, order_line, sales_order, shipment_request, shortage, warehouse
from syncd.simulation.checker.bounds import CURSOR_S, Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings

_STAY: Final = frozenset(
    (
        "parked_event",
        "order_in_review",
        "orders_not_sent",
        "shipment_too_late",
        "shipment_exception",
        "shipment_waits",
        "drift",
    )
)
"""Kinds that a person has to act on, or that are kept for days."""

_OF_STATE: Final = frozenset(("oversold", "short", "unmapped", "shipment_refused"))
"""Kinds that are open as long as the book says so."""

_CLOCKS_APART: Final = timedelta(seconds=2)
_OUTAGE_SEEN_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class AlertRow:
    key: str
    kind: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Alerts:
    """Every alert there ever was, and the keys of those whose cause the book has just now, by kind."""

    rows: tuple[AlertRow, ...]
    due: Mapping[str, frozenset[str]]
    ids: Mapping[str, int]  # of accounts and warehouses by key


def read_alerts(connection: Connection) -> Alerts:
    found = connection.execute(select(alert).order_by(alert.c.id))
    rows = tuple(AlertRow(row.key, row.kind, row.opened_at, row.closed_at) for row in found)
    ids = {row.key: row.id for row in connection.execute(select(account.c.key, account.c.id))}
    ids |= {row.key: row.id for row in connection.execute(select(warehouse.c.key, warehouse.c.id))}
    return Alerts(rows, {"oversold": _oversold(connection), "short": _short(connection)} | _of_lines(connection), ids)


def no_alert_is_open_twice(alerts: Alerts, now: datetime, verdict: Verdict) -> None:
    """One open row a key, no two at the same time, and none that ended before it began."""
    by_key: dict[str, list[AlertRow]] = defaultdict(list)
    for row in alerts.rows:
        by_key[row.key].append(row)
        if row.closed_at is not None and row.closed_at < row.opened_at - _CLOCKS_APART:
            verdict.find("alerts.times", row.key, now, f"opened at {row.opened_at}, closed at {row.closed_at}")
    for key, rows in by_key.items():
        for before, after in pairwise(rows):
            if before.closed_at is None or after.opened_at < before.closed_at - _CLOCKS_APART:
                verdict.find("alerts.twice", key, now, f"opened at {before.opened_at} and again at {after.opened_at}")


def alerts_tell_what_is(alerts: Alerts, now: datetime, verdict: Verdict) -> None:
    """At rest: what the book still has is told, and nothing else."""
    opened: dict[str, set[str]] = defaultdict(set)
    for row in alerts.rows:
        if row.closed_at is None:
            opened[row.kind].add(row.key)
    for kind in sorted(_OF_STATE):
        for key in sorted(alerts.due.get(kind, frozenset()) - opened[kind]):
            verdict.find("alerts.untold", key, now, f"the book has it, and no {kind} alert is open")
        for key in sorted(opened[kind] - alerts.due.get(kind, frozenset())):
            verdict.find("alerts.over", key, now, f"the book has it no more, and its {kind} alert is open")
    for kind in sorted(opened.keys() - _OF_STATE - _STAY):
        for key in sorted(opened[kind]):
            verdict.find("alerts.over", key, now, f"all is well, and its {kind} alert is open")


def every_outage_was_told(
    alerts: Alerts, happenings: Happenings, channels: Mapping[str, str], bounds: Bounds, now: datetime, verdict: Verdict
) -> None:
    """A vendor that was down for long has exactly one alert over that time."""
    for outage in happenings.outages:
        kind = "channel_down" if outage.account in channels else "warehouse_down"
        within_s = CURSOR_S[channels[outage.account]] if outage.account in channels else _OUTAGE_SEEN_S
        told_by = bounds.due(outage.from_at, within_s)  # the outage itself is no excuse
        if told_by >= min(outage.to_at, now):
            continue
        key = f"{kind}:{alerts.ids[outage.account]}"
        over = [row for row in alerts.rows if row.key == key and _overlaps(row, outage.from_at, outage.to_at)]
        if len(over) != 1:
            subject = f"{outage.account} down from {outage.from_at} to {outage.to_at}"
            verdict.find("alerts.outage", subject, now, f"{len(over)} alerts tell of it")


def _overlaps(row: AlertRow, from_at: datetime, to_at: datetime) -> bool:
    begun = from_at + timedelta(seconds=60)  # what was under way may still come to its end
    return row.opened_at < to_at and (row.closed_at is None or row.closed_at > begun)


def _oversold(connection: Connection) -> frozenset[str]:
    return frozenset(
        f"oversold:{row.account_id}:{row.channel_order_id}" for row in _short_lines(connection, "oversold")
    )


def _of_lines(connection: Connection) -> dict[str, frozenset[str]]:
    unmapped = (
        f"unmapped:{row.account_id}:{row.channel_order_id}:{row.channel_line_id}"
        for row in _short_lines(connection, "unmapped")
    )
    refused = connection.execute(
        select(shipment_request.c.warehouse_id, shipment_request.c.order_id).where(
            shipment_request.c.state == "refused"
        )
    )
    return {
        "unmapped": frozenset(unmapped),
        "shipment_refused": frozenset(f"shipment_refused:{row.warehouse_id}:{row.order_id}" for row in refused),
    }


def _short(connection: Connection) -> frozenset[str]:
    found = connection.execute(select(level.c.warehouse_id, level.c.sku_id).where(level.c.short > 0))
    return frozenset(f"short:{row.warehouse_id}:{row.sku_id}" for row in found)


def _short_lines(connection: Connection, reason: str) -> Iterable[Row[Any]]:
    return connection.execute(
        select(sales_order.c.account_id, sales_order.c.channel_order_id, order_line.c.channel_line_id)
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(shortage, shortage.c.order_line_id == order_line.c.id)
        .where(shortage.c.closed_at.is_(None), shortage.c.quantity > 0, shortage.c.reason == reason)
    )
