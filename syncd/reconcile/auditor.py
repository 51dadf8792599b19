"""The audit inside the daemon: what is new and what was wrong every few minutes, and the whole book slowly.

Each page of the slow pass is stored with what it found, so that a daemon that starts again goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from adapters.contract import Clock
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.reconcile.audit import BY_RULE, CHECKS
from syncd.reconcile.checks import Check
from syncd.reconcile.findings import (
    Found,
    Named,
    forget_found,
    look_again,
    look_at,
    note_found,
    seen_longest_ago,
    tell_found,
)
from syncd.reconcile.pages import Key, Page, read_named, read_page
from syncd.reconcile.progress import Pass, load_pass, save_pass
from syncd.reconcile.recent import Mark, mark_now, read_changes

log = structlog.get_logger(__name__)

WHOLE_EVERY: Final = timedelta(hours=24)
PAGES: Final = 100
"""Pages of the slow pass that one round reads: one takes some 10 to 150 ms."""

_FEEDS: Final = 20
"""How often one round reads MOVEMENTS of what is new; the rest waits for the next round."""

_WHOLE: Final = "whole"
_RECENT: Final = "recent"


class Auditor:
    """Audits the book in rounds, under the scheduler's lease."""

    def __init__(self, db: Transactor, clock: Clock, lease: Callable[[], Lease], pages: int = PAGES) -> None:
        self._db = db
        self._clock = clock
        self._lease = lease
        self._pages = pages

    async def round(self) -> dict[str, int]:
        """Look again at what was wrong, at what is new, and go on through the book. Returns what is wrong, by rule."""
        began_at = self._clock.now()
        fresh = await self._recent()
        fresh += await self._whole()
        await self._again(began_at)
        counted = await self._db.transact(_tell, self._lease(), self._clock.now())
        if fresh:
            log.error("audit.violated", counted=counted)
        return counted

    async def _again(self, before: datetime) -> None:
        named = await self._db.read(seen_longest_ago, before)
        if named:
            still, gone = await self._db.read(look_again, BY_RULE, named)
            await self._db.transact(_note, self._lease(), still, gone, None, self._clock.now())

    async def _recent(self) -> int:
        """Audit what has changed since the last round. Returns how many violations there are in it."""
        done = await self._db.read(load_pass, _RECENT)
        now = self._clock.now()
        if done is None:
            mark = await self._db.read(mark_now)
            await self._db.transact(_note, self._lease(), (), (), Pass(_RECENT, mark.to_json(), now, now), now)
            return 0
        mark, found = Mark.from_json(done.position), 0
        for turn in range(_FEEDS):
            changes = await self._db.read(read_changes, mark, ids=turn == 0)
            wrong: list[Found] = []
            for check, columns, keys in changes.asked(CHECKS):
                wrong += await self._db.read(_look_at_named, check, columns, keys)
            found, mark, now = found + len(wrong), changes.mark, self._clock.now()
            at = Pass(_RECENT, mark.to_json(), done.started_at, now, now)
            await self._db.transact(_note, self._lease(), wrong, (), at, now)
            if not changes.more:
                break
        return found

    async def _whole(self) -> int:
        """Go on through the book, or begin once a day. Returns how many violations this part has."""
        at = await self._db.read(load_pass, _WHOLE)
        now = self._clock.now()
        if at is None or (at.ended_at is not None and now - at.started_at >= WHOLE_EVERY):
            at = Pass(_WHOLE, {"rule": CHECKS[0].rule, "after": None}, now, now)
        found = 0
        for _ in range(self._pages):
            if at.ended_at is not None:
                break
            place, after = _place(at)
            check = CHECKS[place]
            page, wrong = await self._db.read(_look_at_page, check, after)
            found += len(wrong)
            at = at.moved(_position(place, page), self._clock.now())
            await self._db.transact(_note, self._lease(), wrong, (), at, self._clock.now())
        return found


def _place(at: Pass) -> tuple[int, Key | None]:
    """Which check a pass is at, and after which key; one of a version with other rules begins anew."""
    rules = [check.rule for check in CHECKS]
    if at.position["rule"] not in rules:
        return 0, None
    after = at.position["after"]
    return rules.index(at.position["rule"]), None if after is None else tuple(after)


def _position(place: int, page: Page) -> dict[str, Any] | None:
    """Where to go on after a page; None when it was the last of all."""
    if page.last is not None:
        return {"rule": CHECKS[place].rule, "after": page.last}
    return {"rule": CHECKS[place + 1].rule, "after": None} if place + 1 < len(CHECKS) else None


def _look_at_page(connection: Connection, check: Check, after: Key | None) -> tuple[Page, tuple[Found, ...]]:
    page = read_page(connection, check, after)
    return page, look_at(connection, check, page.broken)


def _look_at_named(
    connection: Connection, check: Check, columns: tuple[str, ...], keys: tuple[Key, ...]
) -> tuple[Found, ...]:
    return look_at(connection, check, read_named(connection, check, columns, keys))


def _note(
    connection: Connection,
    lease: Lease,
    found: Sequence[Found],
    gone: Sequence[Named],
    at: Pass | None,
    now: datetime,
) -> None:
    guard(connection, lease)
    note_found(connection, found, now)
    forget_found(connection, gone, now)
    if at is not None:
        save_pass(connection, at)


def _tell(connection: Connection, lease: Lease, now: datetime) -> dict[str, int]:
    guard(connection, lease)
    return tell_found(connection, now)
