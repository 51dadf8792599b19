"""Holds that end, and news that only marks a number to be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from syncd.db.rows import rows
from syncd.db.tables import cell, hold
from syncd.publishing.marks import mark_listings
from syncd.publishing.store.queue import mark_shared


def expire_holds(connection: Connection, limit: int, now: datetime) -> int:
    """End holds that no order has explained: the book wins, after one more read. Returns how many ended."""
    found = connection.execute(
        select(hold).where(hold.c.closed_at.is_(None), hold.c.expires_at <= now).order_by(hold.c.id).limit(limit)
    ).all()
    if not found:
        return 0
    ended = rows(connection, "ended", [("id", int)], [(row.id,) for row in found])
    connection.execute(update(hold).values(closed_at=now).where(hold.c.id.in_(select(ended.c.id))))
    listing_ids = sorted({row.listing_id for row in found})
    must_read(connection, listing_ids, now)
    mark_shared(connection, listing_ids, now)
    return len(found)


def must_read(connection: Connection, listing_ids: Sequence[int], now: datetime) -> None:
    """C11: news of a number never is that number; the listing's cells are read."""
    if not listing_ids:
        return
    wanted = rows(connection, "wanted", [("id", int)], [(i,) for i in sorted(set(listing_ids))])
    connection.execute(update(cell).values(must_read=1).where(cell.c.listing_id.in_(select(wanted.c.id))))
    mark_listings(connection, listing_ids, now, urgency=0)
