"""Do one thing after another, so that one that fails stops no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog

from adapters.contract import AdapterError, AuthExpired, RateLimited
from syncd.db.database import DatabaseClosed
from syncd.db.lease import Fenced

log = structlog.get_logger(__name__)

T = TypeVar("T")

_IN_A_ROW: Final = 3
"""Failures after which a round is given up: the other side is to blame, and no single thing."""

_PAUSES_S: Final = (0.0, 0.0, 15.0, 30.0, 60.0)
"""By how many rounds in a row nothing has worked in: a first failure may be chance."""


@dataclass
class Round:
    """What came of a round. `down`: the other side could not be worked with."""

    changed: bool = False
    worked: bool = False  # something did
    down: AdapterError | None = None
    asked_to_wait: RateLimited | None = None
    failed: list[tuple[str, AdapterError]] = field(default_factory=list)  # single ones, while others worked
    mishap: Exception | None = None
    unbooked: list[tuple[str, Exception]] = field(default_factory=list)  # what we could not book; `mishap` is the first


class Turns:
    """Whose turn it is: what failed comes after what did not, and what failed last comes last of all."""

    def __init__(self) -> None:
        self._last_failed: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._count = 0

    def in_order(self, things: Sequence[T], name: Callable[[T], str]) -> list[T]:
        """These things, those whose turn it is first; what is not among them any more is forgotten."""
        names = {name(each) for each in things}
        self._last_failed = {each: at for each, at in self._last_failed.items() if each in names}
        self._times = {each: n for each, n in self._times.items() if each in names}
        return sorted(things, key=lambda each: self._last_failed.get(name(each), 0))

    def note(self, done: Round) -> None:
        for name in [name for name, _ in (*done.failed, *done.unbooked)]:
            self._count += 1
            self._last_failed[name] = self._count
            self._times[name] = self._times.get(name, 0) + 1

    def times(self, name: str) -> int:
        """How often a thing has failed since it became due."""
        return self._times.get(name, 0)


class Rests:
    """When to work again: each activity rests ever longer while nothing works in it, all of them when asked to wait."""

    def __init__(self) -> None:
        self._fruitless: Counter[str] = Counter()  # rounds in a row
        self._until: dict[str, datetime] = {}
        self._asked_until: datetime | None = None

    def are_over(self, activity: str, now: datetime) -> bool:
        return all(until is None or now >= until for until in (self._until.get(activity), self._asked_until))

    def note(self, activity: str, done: Round, now: datetime) -> None:
        """A round of this activity is over."""
        self._fruitless[activity] = self._fruitless[activity] + 1 if done.failed and not done.worked else 0
        pause_s = _PAUSES_S[min(self._fruitless[activity], len(_PAUSES_S) - 1)]
        self._until[activity] = now + timedelta(seconds=pause_s)
        if done.asked_to_wait is not None:
            self._asked_until = now + timedelta(seconds=done.asked_to_wait.retry_after_s)


async def work_off(things: Sequence[T], name: Callable[[T], str], work: Callable[[T], Awaitable[bool]]) -> Round:
    """Do the work for each thing. What we cannot book is logged and kept as `mishap`, to be raised after the rest."""
    done = Round()
    in_a_row = 0
    for each in things:
        try:
            done.changed = await work(each) or done.changed
        except AdapterError as err:
            done.failed.append((name(each), err))
            in_a_row += 1
            if isinstance(err, RateLimited):
                done.asked_to_wait = err
            if isinstance(err, RateLimited | AuthExpired) or in_a_row >= _IN_A_ROW:
                done.down = err
                break
        except (Fenced, DatabaseClosed):
            raise
        except Exception as err:
            log.error("shipment.failed", reference=name(each), error=type(err).__name__, exc_info=err)
            done.mishap = done.mishap or err
            done.unbooked.append((name(each), err))
        else:
            done.worked, in_a_row = True, 0
    if done.failed and not done.worked:
        done.down = done.failed[-1][1]
    return done
