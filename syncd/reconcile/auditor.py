"""The audit inside the daemon: what is new and what was wrong every few minutes, and the whole book slowly.

Each page of the slow pass is stored with what it found, so that a daemon that starts again goes on there. A rule that
cannot run is left out for the round and told to people; a database that cannot be worked with ends the round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from adapters.contract import Clock
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.reconcile.audit import BY_RULE, CHECKS
from syncd.reconcile.checks import Check
from syncd.reconcile.failing import RECENT, Failing, is_its_own, load_failing, tell_error
from syncd.reconcile.findings import in_parts, named_before
from syncd.reconcile.keeping import keep_part, tell_round
from syncd.reconcile.looking import Found, Named, in_turns, look_again, look_at
from syncd.reconcile.pages import Key, Page, read_named, read_page
from syncd.reconcile.progress import WHOLE, Pass, load_pass
from syncd.reconcile.recent import Changes, Mark, mark_now, read_changes

log = structlog.get_logger(__name__)

WHOLE_EVERY: Final = timedelta(hours=24)
PAGES: Final = 100
"""Pages of the slow pass that one round reads: one takes some 10 to 150 ms."""

AGAIN: Final = 400
"""How often one round reads findings to look at again, 500 at a time; the rest waits for the next round."""

_FEEDS: Final = 20
"""How often one round reads MOVEMENTS of what is new; the rest waits for the next round."""

_WAITS: Final = timedelta(hours=1)
"""How long what is new may wait for a transaction of somebody else before people are told."""


class Auditor:
    """Audits the book in rounds, under the scheduler's lease."""

    def __init__(
        self, db: Transactor, clock: Clock, lease: Callable[[], Lease], pages: int = PAGES, again: int = AGAIN
    ) -> None:
        self._db = db
        self._clock = clock
        self._lease = lease
        self._pages = pages
        self._again_at_most = again
        self._failing: dict[str, Failing] = {}  # as the database has it, and what this round adds
        self._failed: set[str] = set()  # in this round
        self._well: set[str] = set()
        self._again_after: Named | None = None

    async def round(self) -> dict[str, int]:
        """Look again at what was wrong, at what is new, and go on through the book. Returns what is wrong, by rule."""
        began_at = self._clock.now()
        self._failing = await self._db.read(load_failing)
        self._failed, self._well = set(), self._failing.keys() - BY_RULE.keys() - {RECENT}
        fresh, mishap = 0, None
        for part in (self._recent, self._whole, self._once_more, partial(self._again, began_at)):
            try:
                fresh += await part()
            except Exception as err:
                if not is_its_own(err):
                    raise
                mishap = err  # what was wrong is looked at and told whatever became of the rest
        counted = await self._tell()
        if fresh and counted:  # what a person has released is known
            log.error("audit.violated", counted=counted)
        if mishap is not None:
            raise mishap
        return counted

    async def _tell(self) -> dict[str, int]:
        well = frozenset(self._well - self._failed)
        for rule in sorted(well):
            del self._failing[rule]
            log.info("audit.rule_recovered", rule=rule)
        failed = tuple(self._failing[rule] for rule in sorted(self._failed))
        return await self._db.transact(tell_round, self._lease(), failed, well, dict(self._failing), self._clock.now())

    @contextmanager
    def _spared(self, rule: str, after: Key | None = None, *, further: bool = False) -> Iterator[None]:
        """What is the rule's own failure in here stops nothing else. It will have to read the book from `after` on.

        One that has to already goes on from there, or from `after` if it has come `further`.
        """
        try:
            yield
        except Exception as err:
            if not is_its_own(err):
                raise
            now, told, before = self._clock.now(), tell_error(err), self._failing.get(rule)
            if before is None:
                log.error("audit.rule_failed", rule=rule, error=type(err).__name__, exc_info=err)
                self._failing[rule] = Failing(rule, after, told, now, now)
            elif rule not in self._failed:
                self._failing[rule] = before.again(after if further or after is None else before.after, told, now)
            self._failed.add(rule)

    async def _again(self, before: datetime) -> int:
        """Look at what was found before, each once; what is gone is forgotten. Nothing of it is new."""
        for _ in range(self._again_at_most):
            named = await self._db.read(named_before, before, self._again_after, frozenset(self._failed))
            if not named and self._again_after is None:
                break
            still: list[Found] = []
            gone: list[Named] = []
            for rule, several in in_turns(named):
                if rule not in BY_RULE:  # of another version: nothing is found by it
                    gone += several
                    continue
                with self._spared(rule):
                    found, over = await self._db.read(look_again, BY_RULE[rule], several)
                    still, gone = [*still, *found], [*gone, *over]
            if still or gone:
                await self._note(still, gone=gone, before=before)
            self._again_after = named[-1] if named else None
        return 0

    async def _recent(self) -> int:
        """Audit what has changed since the last round. Returns how many violations there are in it."""
        found = 0
        with self._spared(RECENT):
            found = await self._feed()
            if RECENT in self._failing:
                self._well.add(RECENT)
        return found

    async def _feed(self) -> int:
        done = await self._db.read(load_pass, RECENT)
        now = self._clock.now()
        if done is None:
            mark = await self._db.read(mark_now)
            await self._note((), at=Pass(RECENT, mark.to_json(), now, now))
            return 0
        mark, found = Mark.from_json(done.position), 0
        for turn in range(_FEEDS):
            changes = await self._db.read(read_changes, mark, ids=turn == 0)
            wrong = await self._look_at_new(changes)
            now = self._clock.now()
            found, mark = found + len(wrong), changes.mark.looked_at(now, settled=changes.settled)
            await self._note(wrong, at=Pass(RECENT, mark.to_json(), done.started_at, now, now))
            if not changes.more:
                break
        if mark.settled_at is not None and now - mark.settled_at >= _WAITS:
            self._tell_waiting(mark.settled_at, now)
        return found

    def _tell_waiting(self, since: datetime, now: datetime) -> None:
        """Above the oldest transaction that runs nothing is final: what is new is not looked at until it ends."""
        if RECENT not in self._failing:
            log.error("audit.transaction_open", since=since.isoformat())
        told = (
            f"a transaction that writes has been open in this PostgreSQL server since {since:%Y-%m-%d %H:%M} UTC or"
            " longer, and what was written since is not looked at: find it in pg_stat_activity or pg_prepared_xacts,"
            " and end it"
        )
        self._failing[RECENT] = Failing(RECENT, None, told, since, now)
        self._failed.add(RECENT)

    async def _look_at_new(self, changes: Changes) -> list[Found]:
        wrong: list[Found] = []
        for check, columns, keys in changes.asked(CHECKS):
            if check.rule not in self._failed:
                with self._spared(check.rule):
                    wrong += await self._db.read(_look_at_named, check, columns, keys)
        return wrong

    async def _whole(self) -> int:
        """Go on through the book, or begin once a day. Returns how many violations this part has."""
        at = await self._db.read(load_pass, WHOLE)
        now = self._clock.now()
        if at is None or (at.ended_at is not None and now - at.started_at >= WHOLE_EVERY):
            at = Pass(WHOLE, {"rule": CHECKS[0].rule, "after": None}, now, now)
        found = 0
        for _ in range(self._pages):
            if at.ended_at is not None:
                break
            place, after = _place(at)
            wrong: tuple[Found, ...] = ()
            last: Key | None = None
            with self._spared(CHECKS[place].rule, after):
                page, wrong = await self._db.read(_look_at_page, CHECKS[place], after)
                last = page.last
            found += len(wrong)
            at = at.moved(_position(place, last), self._clock.now())
            await self._note(wrong, at=at)
        return found

    async def _once_more(self) -> int:
        """Let rules that could not run, and are due, go on where they must. Returns how many violations they find."""
        found = 0
        due = [each for rule, each in self._failing.items() if rule in BY_RULE and rule not in self._failed]
        for each in due:
            if each.is_due(self._clock.now()):
                check = BY_RULE[each.rule]
                kept = each.after is not None and len(each.after) == len(check.key)  # a version may have changed it
                found += await self._go_on(check, each.after if kept else None)
        return found

    async def _go_on(self, check: Check, after: Key | None) -> int:
        found = 0
        for _ in range(self._pages):
            ended = False
            with self._spared(check.rule, after, further=True):
                page, wrong = await self._db.read(_look_at_page, check, after)
                await self._note(wrong)
                found, after, ended = found + len(wrong), page.last, page.last is None
            if check.rule in self._failed:
                return found
            if ended:
                self._well.add(check.rule)
                return found
            self._failing[check.rule] = self._failing[check.rule].further(after, self._clock.now())
        return found

    async def _note(
        self,
        found: Sequence[Found],
        gone: Sequence[Named] = (),
        before: datetime | None = None,
        at: Pass | None = None,
    ) -> None:
        """Keep what was found and how far it has come, a bounded part in each transaction.

        Of what is `gone`, what was seen again since `before` stays.
        """
        parts = tuple(in_parts(found)) or ((),)
        for part in parts[:-1]:
            now = self._clock.now()
            await self._db.transact(keep_part, self._lease(), part, (), now, None, None, now)
        failing, now = dict(self._failing) if self._failed else None, self._clock.now()
        await self._db.transact(keep_part, self._lease(), parts[-1], gone, before or now, at, failing, now)


def _place(at: Pass) -> tuple[int, Key | None]:
    """Which check a pass is at, and after which key; one of a version with other rules begins anew."""
    rules = [check.rule for check in CHECKS]
    if at.position["rule"] not in rules:
        return 0, None
    after = at.position["after"]
    return rules.index(at.position["rule"]), None if after is None else tuple(after)


def _position(place: int, last: Key | None) -> dict[str, Any] | None:
    """Where to go on after a page that ended with `last`; None when it was the last of all."""
    if last is not None:
        return {"rule": CHECKS[place].rule, "after": last}
    return {"rule": CHECKS[place + 1].rule, "after": None} if place + 1 < len(CHECKS) else None


def _look_at_page(connection: Connection, check: Check, after: Key | None) -> tuple[Page, tuple[Found, ...]]:
    page = read_page(connection, check, after)
    return page, look_at(connection, check, page.broken)


def _look_at_named(
    connection: Connection, check: Check, columns: tuple[str, ...], keys: tuple[Key, ...]
) -> tuple[Found, ...]:
    return look_at(connection, check, read_named(connection, check, columns, keys))
