"""The queue of dirty listings: forgotten when shown, put off while they wait, woken by what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from syncd.db.rows import rows
from syncd.db.tables import dirty_listing, listing_component
from syncd.publishing.load import Dirty
from syncd.publishing.marks import mark_dirty


def forget(connection: Connection, done: Sequence[Dirty]) -> None:
    if not done:
        return
    source = rows(connection, "done", [("id", int), ("version", int)], [(d.listing_id, d.version) for d in done])
    connection.execute(
        delete(dirty_listing).where(
            select(1)
            .where(source.c.id == dirty_listing.c.listing_id, source.c.version == dirty_listing.c.version)
            .exists()
        )
    )


TAKES_EFFECT = "a write takes effect"

_PATIENCE = {"certification": 3600.0, "a write is in flight": 3600.0}
LATER_S = 600.0


Waiting = tuple[Dirty, str, datetime | None]
"""A listing set aside, what it waits for, and when to look again by itself; None: by how long such waits take."""


def put_off(connection: Connection, waits: Sequence[Waiting], now: datetime) -> None:
    """Set waiting listings aside; what they wait for wakes them, and a slow fallback does anyway."""
    if not waits:
        return
    data = [
        (each.listing_id, each.version, reason, until or now + timedelta(seconds=_PATIENCE.get(reason, LATER_S)))
        for each, reason, until in waits
    ]
    columns = [("id", int), ("version", int), ("reason", str), ("due_at", datetime)]
    source = rows(connection, "waits", columns, data)
    connection.execute(
        update(dirty_listing)
        .values(waits_for=source.c.reason, due_at=source.c.due_at)
        .where(dirty_listing.c.listing_id == source.c.id, dirty_listing.c.version == source.c.version)
    )


def wake(connection: Connection, listing_ids: Sequence[int], now: datetime) -> None:
    if not listing_ids:
        return
    source = rows(connection, "woken", [("id", int)], [(i,) for i in sorted(set(listing_ids))])
    connection.execute(
        update(dirty_listing)
        .values(waits_for=None, due_at=now)
        .where(dirty_listing.c.listing_id.in_(select(source.c.id)))
    )


def wake_account(connection: Connection, account_id: int, reason: str, now: datetime) -> int:
    """Make due every listing of the account that waits for this."""
    return connection.execute(
        update(dirty_listing)
        .values(waits_for=None, due_at=now)
        .where(dirty_listing.c.account_id == account_id, dirty_listing.c.waits_for == reason)
    ).rowcount


def mark_shared(connection: Connection, listing_ids: Sequence[int], now: datetime) -> None:
    """A hold counts on every channel: all listings of the components must be looked at."""
    if not listing_ids:
        return
    wanted = rows(connection, "wanted", [("id", int)], [(i,) for i in sorted(set(listing_ids))])
    skus = connection.execute(
        select(listing_component.c.sku_id).join(wanted, wanted.c.id == listing_component.c.listing_id).distinct()
    ).scalars()
    mark_dirty(connection, dict.fromkeys(skus), now, urgency=0)


def next_due(connection: Connection, account_id: int) -> datetime | None:
    """When the next of an account's dirty listings is to be looked at; None when there are none."""
    due_at: datetime | None = connection.execute(
        select(func.min(dirty_listing.c.due_at)).where(dirty_listing.c.account_id == account_id)
    ).scalar_one()
    return due_at
