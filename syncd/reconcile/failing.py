"""Rules of the audit that cannot run: why, since when, and from where on the book is to be read by them again.

One that fails stops no other. It is tried again ever more slowly, and is well when it has read the book to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import DatabaseClosed
from syncd.db.lease import Fenced
from syncd.db.trouble import explain, is_down
from syncd.db.types import from_micros, to_micros
from syncd.reconcile.pages import Key
from syncd.reconcile.progress import Pass, drop_pass, load_pass, save_pass

KIND: Final = "audit_failing"
RECENT: Final = "recent"
"""The look at what has just changed: no rule, and it fails and is told like one."""

_KEPT_AS: Final = "failing"
_SOONEST: Final = timedelta(minutes=5)
_LATEST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failing:
    """A rule that could not run. `after`: it goes on behind this key; `told`: the error, without what it was about."""

    rule: str
    after: Key | None
    told: str
    since: datetime
    tried_at: datetime
    times: int = 1

    def again(self, after: Key | None, told: str, now: datetime) -> Failing:
        return replace(self, after=after, told=told, tried_at=now, times=self.times + 1)

    def further(self, after: Key | None, now: datetime) -> Failing:
        """It runs again, and has not read everything yet."""
        return replace(self, after=after, tried_at=now, times=0)

    def is_due(self, now: datetime) -> bool:
        wait = timedelta() if not self.times else _SOONEST * 2 ** min(self.times - 1, 10)
        return now - self.tried_at >= min(wait, _LATEST)


def is_its_own(err: BaseException) -> bool:
    """Whether an error is the rule's own; not so where the database is gone, or this process must stop acting."""
    return isinstance(err, Exception) and not isinstance(err, (Fenced, DatabaseClosed)) and not is_down(err)


def tell_error(err: BaseException) -> str:
    """An error in one line, with its remedy, and nothing of what was read."""
    if isinstance(err, SQLAlchemyError):
        return explain(err)
    return f"{type(err).__name__}. A stored value is none that syncd writes: copy the database, and report this"


def load_failing(connection: Connection) -> dict[str, Failing]:
    """The rules that could not run when they were tried last."""
    kept = load_pass(connection, _KEPT_AS)
    return {} if kept is None else {rule: _from_json(rule, told) for rule, told in kept.position.items()}


def save_failing(connection: Connection, failing: Mapping[str, Failing], now: datetime) -> None:
    if failing:
        position = {rule: _to_json(each) for rule, each in failing.items()}
        save_pass(connection, Pass(_KEPT_AS, position, min(each.since for each in failing.values()), now))
    else:
        drop_pass(connection, _KEPT_AS)


def tell_failing(connection: Connection, failed: Iterable[Failing], well: Collection[str], now: datetime) -> None:
    """Open an alert for each rule that could not run, and close those of the ones that are well again."""
    open_alerts(connection, [_alert(each) for each in failed], now)
    close_alerts(connection, map(_key, well), now)


def name_of(rule: str) -> str:
    """What people know it by."""
    return "look at what has just changed" if rule == RECENT else f"rule {rule}"


def _alert(each: Failing) -> Alert:
    if each.rule == RECENT:
        impact = "what has changed since is looked at only by the daily pass through the book"
        rest = "The rules themselves go on through the whole book once a day"
    else:
        impact = f"what {each.rule} proves of the book is not proved"
        rest = "The others go on; what it found before stays held"
    message = f"the audit's {name_of(each.rule)} cannot run: {each.told}. {rest}"
    return Alert(_key(each.rule), KIND, impact, message, subject=each.rule, detail=each.told)


def _key(rule: str) -> str:
    return f"{KIND}:{rule}"


def _to_json(each: Failing) -> dict[str, Any]:
    told = asdict(each)
    del told["rule"]
    return told | {"since": to_micros(each.since), "tried_at": to_micros(each.tried_at)}


def _from_json(rule: str, told: dict[str, Any]) -> Failing:
    after = None if told["after"] is None else tuple(told["after"])
    since, tried_at = from_micros(told["since"]), from_micros(told["tried_at"])
    return Failing(rule, after, told["told"], since, tried_at, told["times"])
