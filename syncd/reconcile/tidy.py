"""Keep what must not grow or must not stay: buyers' data, settled writes, old decisions. Bounded steps."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from syncd.db.statements import constant
from syncd.db.tables import cell, decision, hold, inbox, listing, push_batch
from syncd.publishing.store.holds import must_read
from syncd.reconcile.recipients import erase_recipients

RECIPIENT_DAYS = 30
BODY_DAYS = 7
EVENT_DAYS = 40
PUSH_DAYS = 7
DECISION_DAYS = 90

# A parked event keeps its body for a person to look at, but not for ever: buyers' data is in it.
_PARKED_LONGER = timedelta(days=RECIPIENT_DAYS - BODY_DAYS)


def tidy(connection: Connection, limit: int, now: datetime, recipient_days: float = RECIPIENT_DAYS) -> dict[str, int]:
    """Erase and prune up to `limit` rows of each kind. Returns how many of each; `limit` of one: there may be more."""
    looked_at, erased = erase_recipients(connection, limit, now - timedelta(days=recipient_days), now)
    return {
        "recipients_looked_at": looked_at,
        "recipients_erased": erased,
        "asked_bodies_erased": erase_asked(connection, limit),
        "bodies_erased": _erase_bodies(connection, limit, now - timedelta(days=BODY_DAYS)),
        "events_pruned": _prune_events(connection, limit, now - timedelta(days=EVENT_DAYS)),
        "pushes_pruned": _prune_pushes(connection, limit, now - timedelta(days=PUSH_DAYS)),
        "decisions_pruned": _prune_decisions(connection, limit, now - timedelta(days=DECISION_DAYS)),
    }


def erase_asked(connection: Connection, limit: int) -> int:
    """Bodies that a buyer wants gone, of events that waited to be taken in when that was asked."""
    due = (
        select(inbox.c.id)
        .where(inbox.c.erase_asked_at.is_not(None), inbox.c.state.not_in(("new", "hinted")))
        .order_by(inbox.c.id)
        .limit(limit)
    )
    gone = update(inbox).where(inbox.c.id.in_(due)).values(body=None, erase_asked_at=None)
    return connection.execute(gone).rowcount


def _erase_bodies(connection: Connection, limit: int, settled_before: datetime) -> int:
    due = (
        select(inbox.c.id)
        .where(
            inbox.c.settled_at < settled_before,
            inbox.c.body.is_not(None),
            or_(inbox.c.state.in_(("applied", "ignored")), inbox.c.settled_at < settled_before - _PARKED_LONGER),
        )
        .limit(limit)
    )
    return connection.execute(update(inbox).where(inbox.c.id.in_(due)).values(body=None)).rowcount


def _prune_events(connection: Connection, limit: int, settled_before: datetime) -> int:
    """The event keys of old news; by then no channel repeats it, and the order's own version would stop it anyway."""
    due = (
        select(inbox.c.id)
        .where(inbox.c.settled_at < settled_before, inbox.c.state.in_((constant("applied"), constant("ignored"))))
        .limit(limit)
    )
    return connection.execute(delete(inbox).where(inbox.c.id.in_(due))).rowcount


def _prune_pushes(connection: Connection, limit: int, settled_before: datetime) -> int:
    due = (
        select(push_batch.c.key)
        .where(push_batch.c.settled_at < settled_before, push_batch.c.state != "in_flight")
        .limit(limit)
    )
    return connection.execute(delete(push_batch).where(push_batch.c.key.in_(due))).rowcount


def _prune_decisions(connection: Connection, limit: int, decided_before: datetime) -> int:
    """How old numbers came about. Why an order's units came from where they did is kept as long as the order."""
    due = (
        select(decision.c.id)
        .where(decision.c.decided_at < decided_before, decision.c.kind == constant("publication"))
        .limit(limit)
    )
    return connection.execute(delete(decision).where(decision.c.id.in_(due))).rowcount


def sweep_cells(connection: Connection, account_id: int, read_before: datetime, limit: int, now: datetime) -> int:
    """Mark for a read the numbers not read for longest, so that drift is found though no news told of it."""
    found = connection.execute(
        select(cell.c.listing_id)
        .join(listing, listing.c.id == cell.c.listing_id)
        .where(
            listing.c.account_id == account_id,
            listing.c.unwritable.is_(None),
            cell.c.in_flight_key.is_(None),
            cell.c.must_read == 0,
            or_(func.coalesce(cell.c.last_read_at, 0) < read_before, cell.c.verify_at <= now),
        )
        .order_by(cell.c.last_read_at)
        .limit(limit)
    ).scalars()
    listing_ids = list(found)
    must_read(connection, listing_ids, now, urgency=1)
    return len(listing_ids)


def sweep_held(connection: Connection, account_id: int, read_before: datetime, limit: int, now: datetime) -> int:
    """Mark for a read the numbers with open holds: units may be back on sale, and then no order ever comes."""
    found = connection.execute(
        select(cell.c.listing_id)
        .join(listing, listing.c.id == cell.c.listing_id)
        .where(
            listing.c.account_id == account_id,
            cell.c.listing_id.in_(select(hold.c.listing_id).where(hold.c.closed_at.is_(None))),
            cell.c.in_flight_key.is_(None),
            cell.c.must_read == 0,
            func.coalesce(cell.c.last_read_at, 0) < read_before,
        )
        .order_by(cell.c.last_read_at)
        .limit(limit)
    ).scalars()
    listing_ids = list(found)
    must_read(connection, listing_ids, now, urgency=0)
    return len(listing_ids)
