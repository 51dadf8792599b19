"""What a person is shown of the daemon's state: read in a few statements, none of which counts history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from syncd.db.statements import constant
from syncd.db.tables import (
    account,
    alert,
    cursor,
    dirty_listing,
    hold,
    inbox,
    level,
    listing,
    push_batch,
    shipment_request,
    warehouse,
    warehouse_cursor,
)
from syncd.insight.histogram import quantile_s
from syncd.insight.store import read_lags, read_tallies

COUNTED_TO = 10_000
"""Counts of what waits end here: one more stands for any number above."""

LEVELS_SUMMED_TO = 20_000
"""Above so many levels no warehouse is summed: it reads every level, on SQLite some 10 ms for that many."""

NEWEST_ALERTS = 50
WAYS = ("webhook", "queue", "poll", "fetch")
TOTALS = (
    "orders_changed",
    "oversold_units",
    "shipped_units",
    "pushes",
    "numbers_written",
    "stale",
    "rejected",
    "reads",
    "units_held",
    "units_surplus",
    "units_relisted",
    "throttled",
    "parked_events",
    "webhooks_forged",
)


@dataclass(frozen=True, slots=True)
class Lag:
    """Measured lags in the seller's seconds: samples by histogram bucket."""

    buckets: Mapping[int, int]

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    def quantile_s(self, share: float) -> float | None:
        return quantile_s(self.buckets, share)

    def to_json(self) -> dict[str, Any]:
        shown = {"p50_s": self.quantile_s(0.5), "p95_s": self.quantile_s(0.95), "p99_s": self.quantile_s(0.99)}
        return {"count": self.count} | {name: s and float(f"{s:.3g}") for name, s in shown.items()}


@dataclass(frozen=True, slots=True)
class Backlog:
    """Listings that must be looked at: due now, and put off by what they wait for. Both end at COUNTED_TO."""

    due: int
    waiting: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account; `orders_in` by way and `totals` by name run since it was added."""

    key: str
    channel: str
    state: str
    state_changed_at: datetime
    polled_to: datetime | None
    horizon_at: datetime | None
    orders_in: Mapping[str, int]
    totals: Mapping[str, int]
    backlog: Backlog
    pushes_in_flight: int
    open_holds: int
    held_units: int
    lags: Mapping[str, Lag]

    def to_json(self, now: datetime) -> dict[str, Any]:
        return _plain(self) | {
            "polled_to_age_s": age_s(self.polled_to, now),
            "lags": {kind: lag.to_json() for kind, lag in self.lags.items()},
        }


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces over all levels of a warehouse."""

    on_hand: int
    unavailable: int
    reserved: int
    short: int


@dataclass(frozen=True, slots=True)
class WarehouseStatus:
    """One warehouse. `units_reserved` runs since it was added; `stock` is None above LEVELS_SUMMED_TO levels.

    Of one with an API: `stock_as_of` is what its last complete snapshot speaks of, `shipments` what is asked of it and
    not over, by state.
    """

    key: str
    name: str
    kind: str
    units_reserved: int
    stock: Stock | None
    stock_as_of: datetime | None
    shipments: Mapping[str, int]
    throttled: int

    def to_json(self, now: datetime) -> dict[str, Any]:
        return _plain(self) | {"stock_age_s": age_s(self.stock_as_of, now)}


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """Rows not taken in yet, hints not looked up yet, and rows that need a person. Each count ends at COUNTED_TO."""

    new: int
    hinted: int
    parked: int
    oldest_new_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    key: str
    kind: str
    impact: str
    message: str
    account: str | None
    opened_at: datetime
    last_seen_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Status:
    """The daemon's state at `at`, the seller's time. `alerts` are the newest; `open_alerts` counts all."""

    at: datetime
    accounts: tuple[AccountStatus, ...]
    warehouses: tuple[WarehouseStatus, ...]
    inbox: InboxStatus
    alerts: tuple[OpenAlert, ...]
    open_alerts: int

    def to_json(self) -> dict[str, Any]:
        return _plain(self) | {
            "counted_to": COUNTED_TO,
            "accounts": [each.to_json(self.at) for each in self.accounts],
            "warehouses": [each.to_json(self.at) for each in self.warehouses],
            "alerts": [_plain(each) for each in self.alerts],
            "inbox": _plain(self.inbox) | {"oldest_new_age_s": age_s(self.inbox.oldest_new_at, self.at)},
        }


def _plain(value: object) -> dict[str, Any]:
    """A dataclass as JSON knows it: nested dicts and lists, instants as text."""
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def age_s(since: datetime | None, now: datetime) -> float | None:
    """Seconds from `since` to `now`, never negative; None when there is nothing to count from."""
    return None if since is None else max(0.0, round((now - since).total_seconds(), 3))


def read_status(connection: Connection, now: datetime) -> Status:
    """Read what the status page, its JSON and the metrics show."""
    tallies = read_tallies(connection)
    alerts, open_alerts = _alerts(connection)
    return Status(
        at=now,
        accounts=_accounts(connection, tallies, now),
        warehouses=_warehouses(connection, tallies),
        inbox=_inbox(connection),
        alerts=alerts,
        open_alerts=open_alerts,
    )


def _accounts(
    connection: Connection, tallies: Mapping[tuple[str, str], int], now: datetime
) -> tuple[AccountStatus, ...]:
    found = connection.execute(
        select(account, cursor.c.polled_to, cursor.c.horizon_at)
        .outerjoin(cursor, (cursor.c.account_id == account.c.id) & (cursor.c.stream == "orders"))
        .order_by(account.c.key)
    ).all()
    lags = read_lags(connection)
    in_flight = _pushes_in_flight(connection)
    holds = _holds(connection)
    return tuple(
        AccountStatus(
            key=row.key,
            channel=row.channel,
            state=row.state,
            state_changed_at=row.state_changed_at,
            polled_to=row.polled_to,
            horizon_at=row.horizon_at,
            orders_in={way: tallies.get((f"account:{row.key}", f"orders_in.{way}"), 0) for way in WAYS},
            totals={name: tallies.get((f"account:{row.key}", name), 0) for name in TOTALS},
            backlog=_backlog(connection, row.id, now),
            pushes_in_flight=in_flight.get(row.id, 0),
            open_holds=holds.get(row.id, (0, 0))[0],
            held_units=holds.get(row.id, (0, 0))[1],
            lags={kind: Lag(buckets) for (owner, kind), buckets in sorted(lags.items()) if owner == row.id},
        )
        for row in found
    )


def _backlog(connection: Connection, account_id: int, now: datetime) -> Backlog:
    # Naming both urgencies lets the index find due rows without passing those that wait.
    mine = (dirty_listing.c.account_id == account_id, dirty_listing.c.urgency.in_((0, 1)))
    due = _counted(connection, select(dirty_listing.c.listing_id).where(*mine, dirty_listing.c.due_at <= now))
    waiting = select(dirty_listing.c.waits_for).where(*mine, dirty_listing.c.due_at > now).limit(COUNTED_TO + 1)
    some = waiting.subquery("waiting")
    n = func.count().label("n")
    reasons = connection.execute(
        select(some.c.waits_for, n).group_by(some.c.waits_for).order_by(n.desc(), some.c.waits_for)
    )
    return Backlog(due, {reason or "its time": n for reason, n in reasons})


def _pushes_in_flight(connection: Connection) -> dict[int, int]:
    found = connection.execute(
        select(push_batch.c.account_id, func.count())
        .where(push_batch.c.state == "in_flight")
        .group_by(push_batch.c.account_id)
    )
    return {row[0]: row[1] for row in found}


def _holds(connection: Connection) -> dict[int, tuple[int, int]]:
    """Open holds and their pieces by account."""
    some = select(hold.c.listing_id, hold.c.quantity).where(hold.c.closed_at.is_(None)).limit(COUNTED_TO + 1)
    held = some.subquery("held")
    found = connection.execute(
        select(listing.c.account_id, func.count(), func.sum(held.c.quantity))
        .join(held, held.c.listing_id == listing.c.id)
        .group_by(listing.c.account_id)
    )
    return {account_id: (n, int(units)) for account_id, n, units in found}


def _warehouses(connection: Connection, tallies: Mapping[tuple[str, str], int]) -> tuple[WarehouseStatus, ...]:
    stock = _stock(connection)
    heard = {
        row.warehouse_id: row.polled_to
        for row in connection.execute(select(warehouse_cursor).where(warehouse_cursor.c.stream == "stock"))
    }
    shipments = _open_shipments(connection)
    return tuple(
        WarehouseStatus(
            key=row.key,
            name=row.name,
            kind=row.kind,
            units_reserved=tallies.get((f"warehouse:{row.key}", "units_reserved"), 0),
            stock=None if stock is None else stock.get(row.id, Stock(0, 0, 0, 0)),
            stock_as_of=heard.get(row.id),
            shipments=shipments.get(row.id, {}),
            throttled=tallies.get((f"warehouse:{row.key}", "throttled"), 0),
        )
        for row in connection.execute(select(warehouse).order_by(warehouse.c.key))
    )


def _open_shipments(connection: Connection) -> dict[int, dict[str, int]]:
    """Shipment requests that are not over, by warehouse and state."""
    found = connection.execute(
        select(shipment_request.c.warehouse_id, shipment_request.c.state, func.count())
        .where(shipment_request.c.state.in_([constant(each) for each in ("planned", "submitted", "accepted")]))
        .group_by(shipment_request.c.warehouse_id, shipment_request.c.state)
        .order_by(shipment_request.c.warehouse_id, shipment_request.c.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for warehouse_id, state, n in found:
        counts.setdefault(warehouse_id, {})[state] = n
    return counts


def _stock(connection: Connection) -> dict[int, Stock] | None:
    """Sums by warehouse; None when there are more levels than a page may read."""
    some = select(level).limit(LEVELS_SUMMED_TO + 1).subquery("some_levels")
    found = connection.execute(
        select(
            some.c.warehouse_id,
            func.sum(some.c.on_hand),
            func.sum(some.c.unavailable),
            func.sum(some.c.reserved),
            func.sum(some.c.short),
            func.count(),
        ).group_by(some.c.warehouse_id)
    ).all()
    if sum(row[5] for row in found) > LEVELS_SUMMED_TO:
        return None
    return {row[0]: Stock(int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in found}


def _inbox(connection: Connection) -> InboxStatus:
    counts = {
        state: _counted(connection, select(inbox.c.id).where(inbox.c.state == state))
        for state in ("new", "hinted", "parked")
    }
    oldest = select(inbox.c.received_at).where(inbox.c.state == "new").order_by(inbox.c.id).limit(1)
    return InboxStatus(**counts, oldest_new_at=connection.execute(oldest).scalar_one_or_none())


def _alerts(connection: Connection) -> tuple[tuple[OpenAlert, ...], int]:
    # Only open ones are sorted: an order by `opened_at` alone would walk back through all that were ever closed.
    some = select(alert).where(alert.c.closed_at.is_(None)).limit(COUNTED_TO + 1).subquery("open_alerts")
    found = connection.execute(
        select(
            some.c.key,
            some.c.kind,
            some.c.impact,
            some.c.message,
            account.c.key.label("account"),
            some.c.opened_at,
            some.c.last_seen_at,
            some.c.times,
        )
        .outerjoin(account, account.c.id == some.c.account_id)
        .order_by(some.c.opened_at.desc(), some.c.id.desc())
        .limit(NEWEST_ALERTS)
    )
    newest = tuple(OpenAlert(*row) for row in found)
    return newest, _counted(connection, select(alert.c.id).where(alert.c.closed_at.is_(None)))


def _counted(connection: Connection, wanted: Select[Any]) -> int:
    """How many rows there are, never looking further than one above COUNTED_TO."""
    some = wanted.limit(COUNTED_TO + 1).subquery("some_rows")
    return connection.execute(select(func.count()).select_from(some)).scalar_one()
