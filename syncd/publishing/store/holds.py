"""Holds that end, and news that only marks a number to be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, and_, func, literal_column, or_, select, update

from syncd.db.statements import Given, statement
from syncd.db.tables import cell, cursor, hold, listing
from syncd.publishing.marks import mark_listings
from syncd.publishing.store.queue import mark_shared

_LONGEST = timedelta(days=1)


def expire_holds(connection: Connection, limit: int, staleness_s: float, now: datetime) -> int:
    """End holds that no order has explained (C9). Returns how many ended.

    Not by time alone: while its account's orders cannot be polled, an order may well be on its way. Only a poll that
    began after a hold's time was up and is complete ends it, or a whole day, lest an account given up holds for ever.
    The number may be that much too low from then on: it is read, not before a read can no longer be older than this,
    and raised only from an anchor that a complete poll has certified anew.
    """
    found = _due(connection, now=now, long_ago=now - _LONGEST, limit=limit).all()
    if not found:
        return 0
    # Cells before holds, as everywhere.
    ended = [(row.listing_id, row.cell, row.quantity) for row in found]
    _note_ended(connection, ended=ended, not_before=now + timedelta(seconds=staleness_s))
    _close(connection, ended=[(row.id,) for row in found], now=now)
    listing_ids = sorted({row.listing_id for row in found})
    mark_listings(connection, listing_ids, now, urgency=0)
    mark_shared(connection, listing_ids, now)
    return len(found)


@statement
def _due(given: Given) -> Executable:
    explained = or_(cursor.c.horizon_at >= hold.c.expires_at, hold.c.expires_at <= given.value("long_ago", datetime))
    return (
        select(hold.c.id, hold.c.listing_id, hold.c.cell, hold.c.quantity)
        .join(listing, listing.c.id == hold.c.listing_id)
        .outerjoin(cursor, and_(cursor.c.account_id == listing.c.account_id, cursor.c.stream == "orders"))
        .where(hold.c.closed_at.is_(None), hold.c.expires_at <= given.value("now", datetime), explained)
        .order_by(hold.c.id + literal_column("0"))  # in order of the key itself SQLite would walk every hold ever
        .limit(given.value("limit", int))
    )


@statement
def _note_ended(given: Given) -> Executable:
    ended = given.rows("ended", listing_id=int, cell=str, quantity=int)
    by_cell = (
        select(ended.c.listing_id, ended.c.cell, func.sum(ended.c.quantity).label("units"))
        .group_by(ended.c.listing_id, ended.c.cell)
        .subquery("by_cell")
    )
    return (
        update(cell)
        .values(
            must_read=1,
            expired_hold=cell.c.expired_hold + by_cell.c.units,
            not_before_read_at=given.value("not_before", datetime),
        )
        .where(cell.c.listing_id == by_cell.c.listing_id, cell.c.name == by_cell.c.cell)
    )


@statement
def _close(given: Given) -> Executable:
    ended = given.rows("ended", id=int)
    return (
        update(hold)
        .values(closed_at=given.value("now", datetime))
        .where(hold.c.id.in_(select(ended.c.id)), hold.c.closed_at.is_(None))
    )


def must_read(connection: Connection, listing_ids: Sequence[int], now: datetime, urgency: int = 0) -> None:
    """C11: news of a number never is that number; the listing's cells are read."""
    if not listing_ids:
        return
    _must_read(connection, wanted=[(i,) for i in sorted(set(listing_ids))])
    mark_listings(connection, listing_ids, now, urgency)


@statement
def _must_read(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return update(cell).values(must_read=1).where(cell.c.listing_id.in_(select(wanted.c.id)))


def open_holds(connection: Connection, listing_ids: Sequence[int]) -> dict[int, int]:
    """Units that are held back for unexplained reads of these listings."""
    found = _sum_holds(connection, wanted=[(i,) for i in listing_ids]) if listing_ids else ()
    return {listing_id: int(quantity) for listing_id, quantity in found}


@statement
def _sum_holds(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(hold.c.listing_id, func.sum(hold.c.quantity))
        .join(wanted, wanted.c.id == hold.c.listing_id)
        .where(hold.c.closed_at.is_(None))
        .group_by(hold.c.listing_id)
    )
