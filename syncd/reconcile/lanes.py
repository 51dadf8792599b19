"""The audit on demand: two rules at once, since a database reads while another thread waits for it.

Only this thread tells progress and keeps where the audit stands. A run that goes on begins with the first rule that had
not ended; what later rules had read by then is read again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Queue
from threading import Event
from typing import Final

from syncd.db.database import Database
from syncd.reconcile.audit import BEGINNING, CHECKS, MOST_VIOLATIONS, AuditReport, Keep, Progress, Standing
from syncd.reconcile.causes import look_into
from syncd.reconcile.checks import Check
from syncd.reconcile.pages import Key, count_keys, read_page
from syncd.reconcile.violation import Violation

LANES: Final = 2
_AHEAD: Final = 64
"""Pages that may wait to be told: what is kept in memory beside the report is bounded by it."""


@dataclass(slots=True)
class _Lane:
    """How far one rule has come."""

    check: Check
    after: Key | None = None
    in_all: int = 0
    seen: int = 0
    broken: int = 0
    violations: list[Violation] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """What one page of a rule gave; `last` is None at the rule's end. `error`: why the rule cannot be asked."""

    place: int
    last: Key | None = None
    keys: int = 0
    broken: int = 0
    violations: tuple[Violation, ...] = ()
    in_all: int = 0
    error: BaseException | None = None


def audit_in_lanes(
    db: Database,
    progress: Progress | None = None,
    most: int = MOST_VIOLATIONS,
    begin: Standing = BEGINNING,
    keep: Keep | None = None,
) -> AuditReport:
    """Check the whole book, or what comes after `begin`, as `audit` does: the report is the same."""
    lanes = _lanes(begin)
    steps: Queue[_Step] = Queue(_AHEAD)
    stopped = Event()
    due = [place for place, lane in enumerate(lanes) if not lane.ended]
    with ThreadPoolExecutor(LANES, thread_name_prefix="syncd-audit") as threads:
        for place in due:
            threads.submit(
                _ask, db, place, lanes[place].check, lanes[place].after, most, progress is not None, steps, stopped
            )
        try:
            _take(lanes, len(due), steps, most, progress, keep)
        except BaseException:
            stopped.set()
            threads.shutdown(wait=False, cancel_futures=True)
            while not steps.empty():  # whoever waits to tell a page may end
                steps.get_nowait()
            raise
    return _report(lanes)


def _lanes(begin: Standing) -> list[_Lane]:
    rules = [check.rule for check in CHECKS]
    first = rules.index(begin.rule) if begin.rule else 0
    lanes = [_Lane(check) for check in CHECKS]
    for place, lane in enumerate(lanes[: first + 1]):
        lane.ended = place < first
        lane.seen = begin.checked.get(lane.check.rule, 0)
        lane.broken = begin.counted.get(lane.check.rule, 0)
        lane.violations = [each for each in begin.violations if each.rule == lane.check.rule]
    lanes[first].after = begin.after
    return lanes


def _ask(
    db: Database,
    place: int,
    check: Check,
    after: Key | None,
    most: int,
    counting: bool,
    steps: Queue[_Step],
    stopped: Event,
) -> None:
    """Read one rule's pages one after another, and tell each."""
    try:
        in_all, broken = db.read_now(count_keys, check) if counting else 0, 0
        while not stopped.is_set():
            page = db.read_now(read_page, check, after)
            after = page.last
            if after is None:
                break
            told = page.broken[: max(0, most - broken)]
            broken += len(page.broken)
            violations = tuple(Violation.of(check, row, db.read_now(look_into, check, row)) for row in told)
            steps.put(_Step(place, after, page.keys, len(page.broken), violations, in_all))
        steps.put(_Step(place))
    except BaseException as err:  # noqa: BLE001 - it is raised by the thread that waits for this rule
        steps.put(_Step(place, error=err))


def _take(
    lanes: list[_Lane], running: int, steps: Queue[_Step], most: int, progress: Progress | None, keep: Keep | None
) -> None:
    while running:
        step = steps.get()
        lane = lanes[step.place]
        if step.error is not None:
            raise step.error
        if step.last is None:
            lane.ended = True
            running -= 1
            continue
        lane.after, lane.in_all = step.last, step.in_all
        lane.seen, lane.broken = lane.seen + step.keys, lane.broken + step.broken
        lane.violations = (lane.violations + list(step.violations))[:most]
        if progress:
            progress(lane.check.rule, lane.seen, max(lane.seen, lane.in_all))
        if keep:
            keep(_standing(lanes))


def _standing(lanes: list[_Lane]) -> Standing:
    """Where the first rule stands that has not ended, with all before it."""
    first = next(place for place, lane in enumerate(lanes) if not lane.ended)
    done = lanes[: first + 1]
    return Standing(
        lanes[first].check.rule,
        lanes[first].after,
        {lane.check.rule: lane.seen for lane in done},
        {lane.check.rule: lane.broken for lane in done},
        tuple(each for lane in done for each in lane.violations),
    )


def _report(lanes: list[_Lane]) -> AuditReport:
    counted = {lane.check.rule: lane.broken for lane in lanes}
    violations = tuple(each for lane in lanes for each in lane.violations)
    checked = {lane.check.rule: lane.seen for lane in lanes}
    return AuditReport(checked, violations, sum(counted.values()) > len(violations), counted)
