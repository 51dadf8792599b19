"""What taking in the inbox does to the database: orders, rows set aside, markers of complete polls, hints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, Row, and_, select, update

from syncd.accounts.store import selling_accounts
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, statement
from syncd.db.tables import cell, cursor, inbox, listing
from syncd.insight.store import add_tallies
from syncd.orders.apply import Applied, apply_orders
from syncd.orders.book import AccountView, Incoming
from syncd.orders.inbox import Arrived, insert_arrived, settle_rows
from syncd.publishing.store.holds import must_read
from syncd.publishing.store.queue import wake_account

STREAM = "orders"
"""The cursor of an account's order polls."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An inbox row that changes no order: ignored, parked or hinted."""

    inbox_id: int
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The marker of a complete poll that began at `horizon_at`."""

    inbox_id: int
    account_id: int
    horizon_at: datetime


def apply_batch(
    connection: Connection, batch: Sequence[Incoming], views: Mapping[int, AccountView], now: datetime
) -> tuple[Applied, ...]:
    """Apply orders to the book, each account as live as it is at this moment."""
    selling = selling_accounts(connection)
    accounts = {key: replace(view, live=key in selling) for key, view in views.items()}
    return apply_orders(connection, batch, accounts, now)


def settle_others(
    connection: Connection,
    settled: Sequence[Settled],
    reached: Sequence[Reached],
    accounts: Mapping[int, str],
    now: datetime,
) -> None:
    """Settle rows that are no orders, tell people of parked ones, and let complete polls certify anchors."""
    settle_rows(connection, [(each.inbox_id, each.state, each.reason) for each in settled], now)
    parked = [each for each in settled if each.state == "parked"]
    if parked:
        _tell_parked(connection, parked, accounts, now)
    if reached:
        _advance_horizons(connection, reached, now)
        settle_rows(connection, [(each.inbox_id, "applied", None) for each in reached], now)


def park_row(connection: Connection, inbox_id: int, reason: str, accounts: Mapping[int, str], now: datetime) -> None:
    """Set one poison row aside, with what is wrong with it, and tell a person."""
    settle_others(connection, [Settled(inbox_id, "parked", reason)], (), accounts, now)


def _tell_parked(connection: Connection, parked: Sequence[Settled], accounts: Mapping[int, str], now: datetime) -> None:
    owner = {row.id: row for row in _parked(connection, parked=[(each.inbox_id,) for each in parked])}
    open_alerts(
        connection,
        [
            Alert(
                f"parked_event:{each.inbox_id}",
                "parked_event",
                "what it says has no effect on stock",
                f"an event ({owner[each.inbox_id].topic}) of {accounts.get(owner[each.inbox_id].account_id, '?')}"
                f" cannot be read: {each.reason}. It is kept in the inbox as number {each.inbox_id}.",
                owner[each.inbox_id].account_id,
                subject=f"inbox {each.inbox_id}",
                detail=each.reason or "",
            )
            for each in parked
        ],
        now,
    )
    totals: dict[tuple[str, str], int] = {}
    for each in parked:
        key = (f"account:{accounts.get(owner[each.inbox_id].account_id, '?')}", "parked_events")
        totals[key] = totals.get(key, 0) + 1
    add_tallies(connection, totals)


@statement
def _parked(given: Given) -> Executable:
    parked = given.rows("parked", id=int)
    return select(inbox.c.id, inbox.c.account_id, inbox.c.topic).join(parked, parked.c.id == inbox.c.id)


def _advance_horizons(connection: Connection, reached: Sequence[Reached], now: datetime) -> None:
    newest: dict[int, datetime] = {}
    for each in reached:
        newest[each.account_id] = max(each.horizon_at, newest.get(each.account_id, each.horizon_at))
    for account_id, horizon_at in sorted(newest.items()):
        _advance_horizon(connection, account_id=account_id, horizon_at=horizon_at, now=now)
        wake_account(connection, account_id, "certification", now)


@statement
def _advance_horizon(given: Given) -> Executable:
    return (
        update(cursor)
        .where(cursor.c.account_id == given.value("account_id", int), cursor.c.stream == STREAM)
        .values(horizon_at=given.value("horizon_at", datetime), moved_at=given.value("now", datetime))
    )


def finish_poll(
    connection: Connection, lease: Lease, account_id: int, started_at: datetime, marker: Arrived, now: datetime
) -> None:
    """A poll is complete: remember up to when, and leave its marker behind the orders it brought."""
    move_cursor(connection, lease, account_id, STREAM, started_at, now)
    insert_arrived(connection, [marker], now)


def move_cursor(
    connection: Connection, lease: Lease, account_id: int, stream: str, polled_to: datetime, now: datetime
) -> None:
    """Remember up to when a stream of an account was read whole."""
    guard(connection, lease)
    _move_cursor(connection, polled=[(account_id, stream, polled_to, now)])


@statement
def _move_cursor(given: Given) -> Executable:
    new = given.insert(cursor, given.rows("polled", account_id=int, stream=str, polled_to=datetime, moved_at=datetime))
    return new.on_conflict_do_update(
        index_elements=["account_id", "stream"],
        set_={"polled_to": new.excluded.polled_to, "moved_at": new.excluded.moved_at},
    )


def polled_to(connection: Connection, account_id: int, stream: str = STREAM) -> datetime | None:
    return _polled_to(connection, account_id=account_id, stream=stream).scalar_one_or_none()


@statement
def _polled_to(given: Given) -> Executable:
    mine = cursor.c.account_id == given.value("account_id", int)
    return select(cursor.c.polled_to).where(mine, cursor.c.stream == given.value("stream", str))


def record_fetched(connection: Connection, fetched: Sequence[Arrived], hinted: Sequence[int], now: datetime) -> None:
    """Put fetched orders into the inbox and settle the hints that asked for them, together."""
    insert_arrived(connection, fetched, now)
    settle_rows(connection, [(inbox_id, "applied", "fetched") for inbox_id in hinted], now)


def put_back(connection: Connection, again: Sequence[int], gone: Sequence[int], now: datetime) -> None:
    """Note that hinted orders are not known to their channel: to be asked for again, or given up."""
    settle_rows(connection, [(inbox_id, "hinted", None) for inbox_id in again], now)
    settle_rows(connection, [(inbox_id, "ignored", "the channel knows no such order") for inbox_id in gone], now)


@dataclass(frozen=True, slots=True)
class NumberHint:
    """A channel says that a listing's number changed; only what nothing explains is read."""

    inbox_id: int
    account_id: int
    channel_sku: str
    channel_location: str
    quantity: int | None


def weigh_hints(connection: Connection, hints: Sequence[NumberHint], now: datetime) -> int:
    """Mark for a read every listing of which a number is told that is neither expected nor our own write.

    Returns how many there are. News overtake each other: the number that came last may be the older one.
    """
    if not hints:
        return 0
    told = dict.fromkeys((h.account_id, h.channel_sku, h.channel_location, h.quantity) for h in hints)
    by_listing: dict[int, list[Row[Any]]] = {}
    for row in _hinted_cells(connection, hints=list(told)):
        by_listing.setdefault(row.listing_id, []).append(row)
    unexplained = [listing_id for listing_id, several in by_listing.items() if not _explained(several)]
    must_read(connection, sorted(unexplained), now)
    settle_rows(connection, [(hint.inbox_id, "applied", None) for hint in hints], now)
    return len(unexplained)


def _explained(told: Sequence[Row[Any]]) -> bool:
    """Whether these numbers of one listing are all expected, our own write, or passed through on the way there."""
    news = [row for row in told if not _is_expected(row)]
    if len(news) == len(told):
        return False
    return all(row.quantity is not None and row.lo <= row.quantity <= row.anchor_value for row in news)


def _is_expected(row: Row[Any]) -> bool:
    return row.quantity is not None and (row.lo <= row.quantity <= row.hi or row.quantity == row.in_flight_value)


@statement
def _hinted_cells(given: Given) -> Executable:
    hints = given.rows("hints", account_id=int, channel_sku=str, channel_location=str, quantity=int)
    hinted = and_(
        listing.c.account_id == hints.c.account_id,
        listing.c.channel_sku == hints.c.channel_sku,
        listing.c.channel_location == hints.c.channel_location,
    )
    return (
        select(
            cell.c.listing_id,
            hints.c.quantity,
            cell.c.anchor_value,
            (cell.c.anchor_value - cell.c.sold_hi).label("hi"),
            (cell.c.anchor_value - cell.c.sold_lo).label("lo"),
            cell.c.in_flight_value,
        )
        .join(listing, hinted)
        .join(cell, cell.c.listing_id == listing.c.id)
        .where(cell.c.anchor_value.is_not(None))
    )


def note_channel(
    connection: Connection, lease: Lease, account_id: int, account: str, kind: str, trouble: str | None, now: datetime
) -> None:
    """Open or close the alert that an account cannot be reached or needs new credentials. Raises Fenced."""
    guard(connection, lease)
    key = f"{kind}:{account_id}"
    if trouble is None:
        close_alerts(connection, [key], now)
        return
    impact = "orders come late and numbers are not written until it works again"
    told = Alert(key, kind, impact, f"{account}: {trouble}", account_id, detail=trouble)
    open_alerts(connection, [told], now)


def hint_cutoff(now: datetime, delay_s: float) -> datetime:
    """Number hints older than this are weighed: the order that explains one usually comes right behind it."""
    return now - timedelta(seconds=delay_s)
