"""The queue of dirty listings: forgotten when shown, put off while they wait, woken by what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, and_, delete, func, select, update

from syncd.db.statements import Given, statement
from syncd.db.tables import dirty_listing, listing_component
from syncd.publishing.load import Dirty
from syncd.publishing.marks import mark_dirty


def forget(connection: Connection, done: Sequence[Dirty]) -> None:
    if done:
        _forget(connection, done=[(each.listing_id, each.version) for each in done])


@statement
def _forget(given: Given) -> Executable:
    done = given.rows("done", id=int, version=int)
    is_done = and_(done.c.id == dirty_listing.c.listing_id, done.c.version == dirty_listing.c.version)
    named = dirty_listing.c.listing_id.in_(select(done.c.id))  # or every dirty listing is looked at
    return delete(dirty_listing).where(named, select(1).where(is_done).exists())


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
    _put_off(connection, waits=data)


@statement
def _put_off(given: Given) -> Executable:
    waits = given.rows("waits", id=int, version=int, reason=str, due_at=datetime)
    return (
        update(dirty_listing)
        .values(waits_for=waits.c.reason, due_at=waits.c.due_at)
        .where(dirty_listing.c.listing_id == waits.c.id, dirty_listing.c.version == waits.c.version)
    )


def wake(connection: Connection, listing_ids: Sequence[int], now: datetime) -> None:
    if listing_ids:
        _wake(connection, woken=[(i,) for i in sorted(set(listing_ids))], now=now)


@statement
def _wake(given: Given) -> Executable:
    woken = given.rows("woken", id=int)
    return (
        update(dirty_listing)
        .values(waits_for=None, due_at=given.value("now", datetime))
        .where(dirty_listing.c.listing_id.in_(select(woken.c.id)))
    )


def wake_account(connection: Connection, account_id: int, reason: str, now: datetime) -> int:
    """Make due every listing of the account that waits for this."""
    return _wake_account(connection, account_id=account_id, reason=reason, now=now).rowcount


@statement
def _wake_account(given: Given) -> Executable:
    mine = dirty_listing.c.account_id == given.value("account_id", int)
    return (
        update(dirty_listing)
        .values(waits_for=None, due_at=given.value("now", datetime))
        .where(mine, dirty_listing.c.waits_for == given.value("reason", str))
    )


def mark_shared(connection: Connection, listing_ids: Sequence[int], now: datetime) -> None:
    """A hold counts on every channel: all listings of the components must be looked at."""
    if not listing_ids:
        return
    skus = _made_of(connection, wanted=[(i,) for i in sorted(set(listing_ids))]).scalars()
    mark_dirty(connection, dict.fromkeys(skus), now, urgency=0)


@statement
def _made_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(listing_component.c.sku_id).join(wanted, wanted.c.id == listing_component.c.listing_id).distinct()


def next_due(connection: Connection, account_id: int) -> datetime | None:
    """When the next of an account's dirty listings is to be looked at; None when there are none."""
    due_at: datetime | None = _next_due(connection, account_id=account_id).scalar_one()
    return due_at


@statement
def _next_due(given: Given) -> Executable:
    return select(func.min(dirty_listing.c.due_at)).where(dirty_listing.c.account_id == given.value("account_id", int))
