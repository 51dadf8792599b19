"""One account as a person looks at it: its newest orders, what is wrong with it, and listings that read otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from syncd.db.tables import account, alert, cell, hold, listing, sales_order
from syncd.insight.status import COUNTED_TO

ROWS = 20
_LABEL = func.coalesce(listing.c.code, listing.c.channel_sku)


@dataclass(frozen=True, slots=True)
class OrderRow:
    name: str
    state: str
    way: str
    test: bool
    review: str | None
    placed_at: datetime
    taken_in_at: datetime


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A listing whose last read nothing explains: `held` units are missing, or `unheeded` writes never showed."""

    listing_id: int
    label: str
    held: int
    unheeded: int
    last_read: int | None
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertRow:
    kind: str
    message: str
    impact: str
    times: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Each list is cut at ROWS."""

    policy: str
    buffer: int
    floor: int
    cap: int | None
    live_since_at: datetime | None
    orders: tuple[OrderRow, ...]
    drift: tuple[DriftRow, ...]
    alerts: tuple[AlertRow, ...]


def read_account(connection: Connection, key: str) -> AccountPage | None:
    """None when no account has that key."""
    mine = connection.execute(select(account).where(account.c.key == key)).one_or_none()
    if mine is None:
        return None
    return AccountPage(
        policy=mine.policy,
        buffer=mine.buffer,
        floor=mine.floor,
        cap=mine.cap,
        live_since_at=mine.live_since_at,
        orders=_orders(connection, mine.id),
        drift=_drift(connection, mine.id),
        alerts=_alerts(connection, mine.id),
    )


def _orders(connection: Connection, account_id: int) -> tuple[OrderRow, ...]:
    found = connection.execute(
        select(
            sales_order.c.name,
            sales_order.c.state,
            sales_order.c.way,
            sales_order.c.test,
            sales_order.c.review,
            sales_order.c.placed_at,
            sales_order.c.first_applied_at,
        )
        .where(sales_order.c.account_id == account_id)
        .order_by(sales_order.c.id.desc())
        .limit(ROWS)
    )
    return tuple(OrderRow(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in found)


def _drift(connection: Connection, account_id: int) -> tuple[DriftRow, ...]:
    held = (
        select(hold.c.listing_id, hold.c.quantity)
        .where(hold.c.closed_at.is_(None))
        .limit(COUNTED_TO)
        .subquery("open_holds")
    )
    missing = select(held.c.listing_id, func.sum(held.c.quantity).label("n")).group_by(held.c.listing_id)
    never_showed = cell.c.unheeded > literal_column("0")
    some = select(cell.c.listing_id, cell.c.unheeded.label("n")).where(never_showed).limit(COUNTED_TO)
    unheeded = some.subquery("unheeded")
    by_hold = {row.listing_id: int(row.n) for row in connection.execute(_mine(missing.subquery("by_hold"), account_id))}
    by_write = {row.listing_id: int(row.n) for row in connection.execute(_mine(unheeded, account_id))}
    worst = sorted({*by_hold, *by_write}, key=lambda each: (-by_hold.get(each, 0), -by_write.get(each, 0), each))[:ROWS]
    rows = {
        row.id: row
        for row in connection.execute(
            select(listing.c.id, _LABEL.label("label"), cell.c.last_read_value, cell.c.last_read_at)
            .join(cell, cell.c.listing_id == listing.c.id)
            .where(listing.c.id.in_(worst))
        )
    }
    return tuple(
        DriftRow(each, row.label, by_hold.get(each, 0), by_write.get(each, 0), row.last_read_value, row.last_read_at)
        for each in worst
        if (row := rows.get(each)) is not None
    )


def _mine(counted: Any, account_id: int) -> Select[Any]:
    """Of counts by listing those of an account, as many as a page may weigh."""
    return (
        select(counted.c.listing_id, counted.c.n)
        .join(listing, listing.c.id == counted.c.listing_id)
        .where(listing.c.account_id == account_id)
        .limit(COUNTED_TO)
    )


def _alerts(connection: Connection, account_id: int) -> tuple[AlertRow, ...]:
    some = select(alert).where(alert.c.closed_at.is_(None)).limit(COUNTED_TO).subquery("open_alerts")
    found = connection.execute(
        select(some.c.kind, some.c.message, some.c.impact, some.c.times, some.c.opened_at)
        .where(some.c.account_id == account_id)
        .order_by(some.c.opened_at.desc())
        .limit(ROWS)
    )
    return tuple(AlertRow(*row) for row in found)
