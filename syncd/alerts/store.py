"""Alerts in the database: one open row a key, however often it is caused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, Row, select, update

from syncd.alerts.outbox import ALERT_CLOSED, ALERT_OPENED, is_wanted, note_closing, note_opened
from syncd.db.statements import Given, statement
from syncd.db.tables import alert


@dataclass(frozen=True, slots=True)
class Alert:
    """`subject` is what it is about, in nobody's language; `detail` what a vendor said. `units` and `orders` suffer.

    The rest is English for the page: what people are told elsewhere comes from the catalogue of its kind.
    """

    key: str
    kind: str
    impact: str
    message: str
    account_id: int | None = None
    warehouse_id: int | None = None
    subject: str = ""
    detail: str = ""
    units: int | None = None
    orders: int | None = None


def open_alerts(connection: Connection, alerts: Sequence[Alert], now: datetime) -> None:
    """Open each alert, or note that it was caused again while open."""
    newest = {each.key: each for each in alerts}
    if not newest:
        return
    rows = [
        (a.key, a.kind, a.impact, a.message, a.account_id, a.warehouse_id, a.subject, a.detail, a.units, a.orders)
        for _, a in sorted(newest.items())
    ]
    _open(connection, opened=[(*row, now, now) for row in rows])
    if is_wanted(connection, ALERT_OPENED):
        note_opened(connection, newest.keys(), now)


@statement
def _open(given: Given) -> Executable:
    opened = given.rows(
        "opened",
        key=str,
        kind=str,
        impact=str,
        message=str,
        account_id=int,
        warehouse_id=int,
        subject=str,
        detail=str,
        units=int,
        orders=int,
        opened_at=datetime,
        last_seen_at=datetime,
    )
    new = given.insert(alert, opened)
    return new.on_conflict_do_update(
        index_elements=["key"],
        index_where=alert.c.closed_at.is_(None),
        set_={
            "times": alert.c.times + 1,
            "last_seen_at": new.excluded.last_seen_at,
            "message": new.excluded.message,
            "impact": new.excluded.impact,
            "detail": new.excluded.detail,
            "units": new.excluded.units,
            "orders": new.excluded.orders,
        },
    )


def close_alerts(connection: Connection, keys: Iterable[str], now: datetime) -> int:
    """Close these alerts where they are open. Returns how many were."""
    data = [(key,) for key in sorted(set(keys))]
    if not data:
        return 0
    if is_wanted(connection, ALERT_CLOSED):
        note_closing(connection, data, now)
    return _close(connection, closing=data, now=now).rowcount


@statement
def _close(given: Given) -> Executable:
    closing = given.rows("closing", key=str)
    return (
        update(alert)
        .values(closed_at=given.value("now", datetime))
        .where(alert.c.closed_at.is_(None), alert.c.key.in_(select(closing.c.key)))
    )


def read_open(connection: Connection, limit: int = 200) -> list[Row[tuple[object, ...]]]:
    return list(
        connection.execute(select(alert).where(alert.c.closed_at.is_(None)).order_by(alert.c.opened_at).limit(limit))
    )
