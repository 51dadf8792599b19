"""The audit on demand: two sweeps at once, since a database reads while another thread waits for it.

Only this thread tells progress and keeps where the audit stands. A run that goes on begins with the first sweep that
had not ended; what later ones had read by then is read again. A rule that cannot run stops no other: where a sweep
fails, its rules are asked one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Queue
from threading import Event
from typing import Final

from syncd.db.database import Database
from syncd.reconcile.audit import BEGINNING, MOST_VIOLATIONS, SWEEPS, AuditReport, Keep, Progress, Standing, report_of
from syncd.reconcile.causes import look_into
from syncd.reconcile.failing import is_its_own, tell_error
from syncd.reconcile.pages import Key, count_keys
from syncd.reconcile.sweeps import Sweep, Swept, read_sweep
from syncd.reconcile.violation import Violation

LANES: Final = 2
_AHEAD: Final = 64
"""Pages that may wait to be told: what is kept in memory beside the report is bounded by it."""


@dataclass(slots=True)
class _Lane:
    """How far one sweep has come, by rule. `apart`: its rules are asked one by one."""

    sweep: Sweep
    after: Key | None = None
    seen: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    apart: bool = False

    def begin_apart(self) -> None:
        self.after, self.apart = None, True
        self.seen, self.broken, self.violations = Counter(), Counter(), []


@dataclass(frozen=True, slots=True)
class _Step:
    """What one page gave the rules of a lane; neither keys nor broken: a sign.

    `ended`: the lane is over. `apart`: it begins again with its rules one by one. `error`: why `rules` cannot be asked.
    """

    place: int
    rules: tuple[str, ...] = ()
    last: Key | None = None
    keys: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    violations: tuple[Violation, ...] = ()
    in_all: int = 0
    ended: bool = False
    apart: bool = False
    error: BaseException | None = None


def audit_in_lanes(
    db: Database,
    progress: Progress | None = None,
    most: int = MOST_VIOLATIONS,
    begin: Standing = BEGINNING,
    keep: Keep | None = None,
) -> AuditReport:
    """Check the whole book, or what comes after `begin`, as `audit` does: the report is the same.

    Raises what is no rule's own failure: a database that cannot be worked with.
    """
    lanes = _lanes(begin)
    steps: Queue[_Step] = Queue(_AHEAD)
    asked = _Asked(db, most, progress is not None, steps, Event())
    due = [place for place, lane in enumerate(lanes) if not lane.ended]
    with ThreadPoolExecutor(LANES, thread_name_prefix="syncd-audit") as threads:
        for place in due:
            lane = lanes[place]
            threads.submit(_ask, asked, place, lane.sweep, lane.after, Counter(lane.broken))
        try:
            _take(lanes, len(due), steps, most, progress, keep)
        except BaseException:
            asked.stopped.set()
            threads.shutdown(wait=False, cancel_futures=True)
            while not steps.empty():  # whoever waits to tell a page may end
                steps.get_nowait()
            raise
    return report_of(
        {rule: n for lane in lanes for rule, n in lane.seen.items()},
        {rule: n for lane in lanes for rule, n in lane.broken.items()},
        (each for lane in lanes for each in lane.violations),
        {rule: told for lane in lanes for rule, told in lane.failed.items()},
    )


def _lanes(begin: Standing) -> list[_Lane]:
    lanes = [_Lane(sweep) for sweep in SWEEPS]
    first = next((place for place, lane in enumerate(lanes) if lane.sweep.name == begin.rule), 0)
    for place, lane in enumerate(lanes[: first + 1] if begin.rule else ()):
        lane.ended = place < first
        for rule in lane.sweep.rules:
            lane.seen[rule] = begin.checked.get(rule, 0)
            lane.broken[rule] = begin.counted.get(rule, 0)
        lane.violations = [each for each in begin.violations if each.rule in lane.sweep.rules]
        lane.failed = {rule: why for rule, why in begin.failed.items() if lane.ended and rule in lane.sweep.rules}
    lanes[first].after = begin.after
    return lanes


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the threads that read share."""

    db: Database
    most: int
    counting: bool
    steps: Queue[_Step]
    stopped: Event


def _ask(asked: _Asked, place: int, sweep: Sweep, after: Key | None, told: Counter[str]) -> None:
    """Read a sweep's pages one after another, and tell each. `told`: violations that were told before."""
    try:
        if not _read_all(asked, place, sweep, after, told, may_fail=sweep.sieve is not None):
            asked.steps.put(_Step(place, apart=True))
            for one in sweep.alone():
                _read_all(asked, place, one, None, Counter(), may_fail=False)
        asked.steps.put(_Step(place, ended=True))
    except BaseException as err:  # noqa: BLE001 - the thread that waits for this lane raises it
        asked.steps.put(_Step(place, error=err))


def _read_all(
    asked: _Asked, place: int, sweep: Sweep, after: Key | None, told: Counter[str], *, may_fail: bool
) -> bool:
    """Whether the sweep could be asked; where it may not fail, what hinders it is told of its rules."""
    try:
        for step in _pages(asked, place, sweep, after, told):
            asked.steps.put(step)
    except Exception as err:
        if not is_its_own(err):
            raise
        if may_fail:
            return False
        asked.steps.put(_Step(place, sweep.rules, error=err))
    return True


def _pages(asked: _Asked, place: int, sweep: Sweep, after: Key | None, told: Counter[str]) -> Iterator[_Step]:
    in_all = asked.db.read_now(count_keys, sweep.pages) if asked.counting else 0
    while not asked.stopped.is_set():
        page = asked.db.read_now(read_sweep, sweep, after)
        after = page.last
        violations = _look(asked, page, told)
        broken = Counter({check.rule: len(rows) for check, rows in page.broken})
        told += broken
        yield _Step(place, sweep.rules, after, page.keys, broken, violations, in_all)
        if after is None:
            return


def _look(asked: _Asked, page: Swept, told: Counter[str]) -> tuple[Violation, ...]:
    return tuple(
        Violation.of(check, row, asked.db.read_now(look_into, check, row))
        for check, rows in page.broken
        for row in rows[: max(0, asked.most - told[check.rule])]
    )


def _take(
    lanes: Sequence[_Lane],
    running: int,
    steps: Queue[_Step],
    most: int,
    progress: Progress | None,
    keep: Keep | None,
) -> None:
    while running:
        step = steps.get()
        lane = lanes[step.place]
        if step.error is not None:
            if not step.rules:
                raise step.error
            assert isinstance(step.error, Exception), "only a rule's own failure is told"
            lane.failed |= dict.fromkeys(step.rules, tell_error(step.error))
        elif step.ended:
            lane.ended = True
            running -= 1
        elif step.apart:
            lane.begin_apart()
        else:
            _note(lane, step, most)
            if progress and step.keys:
                for rule in step.rules:
                    progress(rule, lane.seen[rule], max(lane.seen[rule], step.in_all))
            if keep and step.keys:
                keep(_standing(lanes))


def _note(lane: _Lane, step: _Step, most: int) -> None:
    if not lane.apart:
        lane.after = step.last or lane.after
    for rule in step.rules:
        lane.seen[rule] += step.keys
    lane.broken += step.broken
    told = Counter(each.rule for each in lane.violations)
    for each in step.violations:
        told[each.rule] += 1
        if told[each.rule] <= most:
            lane.violations.append(each)


def _standing(lanes: Sequence[_Lane]) -> Standing:
    """Where the first sweep stands that has not ended, with all before it; one that is asked apart begins anew."""
    first = next(place for place, lane in enumerate(lanes) if not lane.ended)
    done = [lane for lane in lanes[: first + 1] if lane.ended or not lane.apart]
    return Standing(
        lanes[first].sweep.name,
        lanes[first].after,
        {rule: lane.seen[rule] for lane in done for rule in lane.sweep.rules},
        {rule: lane.broken[rule] for lane in done for rule in lane.sweep.rules},
        tuple(each for lane in done for each in lane.violations),
        {rule: why for lane in done if lane.ended for rule, why in lane.failed.items()},
    )
