"""Pause an account and resume it: its orders come in and are reserved all the while; nothing goes out for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from syncd.accounts.store import set_state
from syncd.db.tables import account
from syncd.publishing.store.queue import wake_account

NOT_LIVE = "the account is not live"


@dataclass(frozen=True, slots=True)
class Change:
    """What an account was and what it is now."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


def pause_account(connection: Connection, account_id: int, now: datetime) -> Change:
    """Stop every write for an account, from the next commit on; doing it again changes nothing.

    No number is written to its channel and no warehouse is asked to send its orders. A request that is on the wire
    already ends by itself, and is looked after.
    """
    before = _locked_state(connection, account_id)
    if before == "live":  # what went live before that was noted must be known to have been live
        since = func.coalesce(account.c.live_since_at, account.c.state_changed_at)
        connection.execute(update(account).where(account.c.id == account_id).values(live_since_at=since))
    set_state(connection, account_id, "paused", now)
    return Change(before, "paused")


def resume_account(connection: Connection, account_id: int, now: datetime) -> Change:
    """Let an account be what it was before it was paused: live, or observing. One that is not paused stays as it is."""
    before = _locked_state(connection, account_id)
    if before != "paused":
        return Change(before, before)
    was_live = connection.execute(select(account.c.live_since_at).where(account.c.id == account_id)).scalar_one()
    after = "observing" if was_live is None else "live"
    set_state(connection, account_id, after, now)
    if after == "live":
        wake_account(connection, account_id, NOT_LIVE, now)
    return Change(before, after)


def _locked_state(connection: Connection, account_id: int) -> str:
    found = connection.execute(select(account.c.state).where(account.c.id == account_id).with_for_update())
    return str(found.scalar_one())
