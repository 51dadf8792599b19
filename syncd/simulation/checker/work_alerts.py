"""Work that stands still or fails for minutes on end is told by one alert, and none tells of what goes well.

Causes are not taken from the daemon's word: news waits by its own rows in the inbox, and rounds of jobs are counted by
whoever drives the timetable. Alerts about the other loops are held against what went wrong at that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from syncd.db.tables import inbox
from syncd.simulation.checker.alert_causes import TrueTime
from syncd.simulation.checker.alerts import AlertRow, Alerts, Proof
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import BROKEN, Happenings, Spell
from syncd.simulation.kit.timetable import Rounds, Streak

INTAKE_S: Final = 300.0
POLLS_S: Final = 900.0
_POLLS: Final = 5  # or so many intervals, if that is longer
LOOP_S: Final = 300.0
JOB_S: Final = 900.0
_JOBS: Final = 3
LOOKS_S: Final = 180.0
"""Whoever watches looks once a minute, and tells what two looks have found."""

INTAKE: Final = "intake_late"
INTAKE_LOOP: Final = "loop_failing:intake"
_POLL_JOB: Final = "poll:"
_POLL_TAKES_S: Final = 60.0
_CLOCKS_APART: Final = timedelta(seconds=2)
_STILL_FAILS: Final = timedelta(seconds=150)
"""A loop rests half a minute between its tries, and is told by the second look."""


@dataclass(frozen=True, slots=True)
class Waited:
    """News in the inbox; `settled_at` None: it waits still. `certain`: settled just once, so then it was taken in."""

    received_at: datetime
    settled_at: datetime | None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Stood:
    """What one alert tells of: it stood from an instant `until` another at least, and was well by `over_at` if ever.

    It is to be told when it has stood for `told_after_s`, and may be `early_s` sooner. `certain`: it must be told.
    """

    key: str
    from_at: datetime
    told_after_s: float
    until: datetime
    over_at: datetime | None
    certain: bool = True
    early_s: float = 0.0

    def may_be_told(self, at: datetime) -> bool:
        begun = self.from_at + timedelta(seconds=self.told_after_s - self.early_s)
        return begun <= at + _CLOCKS_APART and (self.over_at is None or self.over_at >= at - _CLOCKS_APART)


def read_waited(connection: Connection, true_time: TrueTime) -> list[Waited]:
    """All news that waited long enough for people to be told, or waits."""
    found = connection.execute(
        select(inbox.c.received_at, inbox.c.settled_at, inbox.c.state, inbox.c.attempts).order_by(inbox.c.id)
    )
    waited = []
    for row in found:
        settled_at = None if row.state == "new" or row.settled_at is None else true_time(row.settled_at)
        each = Waited(true_time(row.received_at), settled_at, row.attempts <= 1)
        if settled_at is None or settled_at - each.received_at >= timedelta(seconds=INTAKE_S):
            waited.append(each)
    return waited


def what_stands_still_is_told(
    alerts: Alerts, waited: Sequence[Waited], rounds: Rounds, bounds: Bounds, now: datetime, verdict: Verdict
) -> None:
    """One alert for each cause that stood long enough, open until it is over; none without a cause."""
    causes = [
        *_of_intake(waited, bounds.happenings, now),
        *(_of_streak(each, rounds, alerts.ids) for each in rounds.failing),
    ]
    in_time = _without_broken(bounds)
    rows = alerts.by_key(Proof.LATE)
    for cause in causes:
        if cause.certain:
            _is_told_once(cause, rows.get(cause.key, []), in_time, now, verdict)
    for key, several in sorted(rows.items()):
        mine = [each for each in causes if each.key == key]
        for row in several:
            if not _has_a_cause(row, mine, bounds.happenings):
                told = f"opened at {row.opened_at}, and nothing had stood still or failed for so long"
                verdict.find("alerts.unfounded", key, now, told)


def was_in_trouble(happenings: Happenings, now: datetime) -> bool:
    """Whether the daemon was a moment ago, so that what is told of it may not be taken back yet."""
    since = now - timedelta(seconds=LOOKS_S)
    return any(each.key is None and each.to_at > since for each in happenings.spells) or any(
        each.from_at > since for each in happenings.lives
    )


# --- causes ---------------------------------------------------------------------------------------------------------


def _of_intake(waited: Iterable[Waited], happenings: Happenings, now: datetime) -> Iterator[Stood]:
    """From when news waited on end, and the loop that takes it in where a damaged page explains that it failed."""
    for each in _on_end(waited, now):
        yield each
        for spell in happenings.spells:
            begun, ended = max(each.from_at, spell.from_at), min(each.until, spell.to_at)
            if spell.kind == BROKEN and begun < ended:
                yield replace(each, key=INTAKE_LOOP, from_at=begun, told_after_s=LOOP_S, until=ended)


def _on_end(waited: Iterable[Waited], now: datetime) -> Iterator[Stood]:
    late = timedelta(seconds=INTAKE_S)
    whole: Stood | None = None
    for each in sorted(waited, key=lambda each: each.received_at):
        until = each.settled_at or now
        if until - each.received_at < late:
            continue
        one = Stood(INTAKE, each.received_at, INTAKE_S, until, each.settled_at, each.certain)
        if whole is None:
            whole = one
        elif one.from_at + late <= whole.until and one.certain == whole.certain:
            last = max(whole, one, key=lambda each: each.until)
            whole = replace(whole, until=last.until, over_at=last.over_at)
        else:
            yield whole
            whole = one
    if whole is not None:
        yield whole


def _of_streak(streak: Streak, rounds: Rounds, ids: Mapping[str, int]) -> Stood:
    every_s = rounds.every_s[streak.job]
    over_at = min((at for at in rounds.ended[streak.job] if at >= streak.last_at), default=None)
    until = streak.over_at or streak.last_at
    if streak.job.startswith(_POLL_JOB):
        key = f"polls_late:{ids[streak.job.removeprefix(_POLL_JOB)]}"
        early_s = every_s + _POLL_TAKES_S  # counted from when the last good one began
        return Stood(key, streak.from_at, max(POLLS_S, _POLLS * every_s), until, over_at, early_s=early_s)
    return Stood(f"job_failing:{streak.job}", streak.from_at, max(JOB_S, _JOBS * every_s), until, over_at)


# --- what is told of them -------------------------------------------------------------------------------------------


def _is_told_once(cause: Stood, rows: Sequence[AlertRow], bounds: Bounds, now: datetime, verdict: Verdict) -> None:
    span = f"from {cause.from_at} to {cause.over_at or now}"
    started = max((life.from_at for life in bounds.happenings.lives if life.from_at <= cause.until), default=now)
    begun = max(cause.from_at, started)  # another life begins to count anew
    due = bounds.due(begun, cause.told_after_s + LOOKS_S)
    if cause.until > due and not any(_tells(row, due, cause.until) for row in rows):
        verdict.find("alerts.untold", cause.key, now, f"it stood still or failed {span}, and no alert was open")
    if sum(cause.from_at < row.opened_at < cause.until for row in rows) > 1:
        verdict.find("alerts.flapping", cause.key, now, f"several rows tell of what stood {span}")
    if cause.over_at is None:
        return
    closed_by = bounds.due(cause.over_at, LOOKS_S)
    if closed_by < now and any(row.opened_at <= cause.over_at and _ends_after(row, closed_by) for row in rows):
        verdict.find("alerts.over", cause.key, now, f"it stood {span}, and its alert was open after {closed_by}")


def _tells(row: AlertRow, from_at: datetime, to_at: datetime) -> bool:
    """Whether it was open all that time."""
    return row.opened_at <= from_at and not (row.closed_at and row.closed_at < to_at - _CLOCKS_APART)


def _ends_after(row: AlertRow, at: datetime) -> bool:
    return row.closed_at is None or row.closed_at > at


def _has_a_cause(row: AlertRow, causes: Sequence[Stood], happenings: Happenings) -> bool:
    if any(each.may_be_told(row.opened_at) for each in causes):
        return True
    loop = row.kind == "loop_failing"
    return loop and row.key != INTAKE_LOOP and any(_held_up(each, row.opened_at) for each in happenings.spells)


def _held_up(spell: Spell, at: datetime) -> bool:
    """Whether a loop that fails since then may be told at this instant."""
    long_enough = timedelta(seconds=LOOP_S)
    return spell.key is None and spell.from_at <= at - long_enough and spell.to_at >= at - _STILL_FAILS


def _without_broken(bounds: Bounds) -> Bounds:
    """What fails because of a damaged page is what is to be told: it grants no time to tell it."""
    spells = [each for each in bounds.happenings.spells if each.kind != BROKEN]
    return Bounds(replace(bounds.happenings, spells=spells), bounds.speed, bounds.run_by)
