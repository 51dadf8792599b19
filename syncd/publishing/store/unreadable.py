"""Listings of which a channel does not say what they show: told, and read again soon, then less and less often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, select, update

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.statements import Given, statement
from syncd.db.tables import alert, dirty_listing
from syncd.publishing.store.queue import LATER_S
from syncd.publishing.store.rows import Rules

UNREADABLE = "unreadable at the channel"
_FIRST = timedelta(seconds=60)  # a vendor that stumbles over one row of many has often recovered by then
_LONGEST = timedelta(seconds=LATER_S)


def note_unreadable(connection: Connection, rules: Rules, problems: Mapping[int, str | None], now: datetime) -> None:
    """Tell of listings that could not be read, and have each wait as long as it has been unreadable."""
    if not problems:
        return
    open_alerts(
        connection,
        [
            Alert(
                _key(rules, listing_id),
                "listing_unreadable",
                "its number stays as it is",
                f"{rules.account} does not say what listing {listing_id} shows: {problem or 'no number'}",
                rules.account_id,
                detail=problem or "",
            )
            for listing_id, problem in problems.items()
        ],
        now,
    )
    found = _opened(connection, keys=[(_key(rules, listing_id),) for listing_id in sorted(problems)])
    since: dict[str, datetime] = {row.key: row.opened_at for row in found}
    waiting = [
        (listing_id, now + min(_LONGEST, max(_FIRST, now - since[_key(rules, listing_id)])))
        for listing_id in sorted(problems)
    ]
    _let_wait(connection, waiting=waiting, reason=UNREADABLE)


def forget_unreadable(connection: Connection, rules: Rules, listing_ids: Sequence[int], now: datetime) -> None:
    """These could be read."""
    close_alerts(connection, [_key(rules, listing_id) for listing_id in listing_ids], now)


@statement
def _opened(given: Given) -> Executable:
    keys = given.rows("keys", key=str)
    return select(alert.c.key, alert.c.opened_at).where(
        alert.c.closed_at.is_(None), alert.c.key.in_(select(keys.c.key))
    )


@statement
def _let_wait(given: Given) -> Executable:
    waiting = given.rows("waiting", id=int, due_at=datetime)
    return (
        update(dirty_listing)
        .values(waits_for=given.value("reason", str), due_at=waiting.c.due_at)
        .where(dirty_listing.c.listing_id == waiting.c.id)
    )


def _key(rules: Rules, listing_id: int) -> str:
    return f"unreadable:{rules.account_id}:{listing_id}"
