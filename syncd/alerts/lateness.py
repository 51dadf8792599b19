"""Work that fails for ever without anybody noticing: orders that wait, polls that never end, loops and jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Executable, func, select

from adapters.contract import Clock
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import alert, cursor, inbox
from syncd.insight.job_log import JobRun
from syncd.loops import Failing, Job

EVERY_S: Final = 60.0
SEEN_FOR: Final = timedelta(seconds=55)
"""Real time for which a look after the other must find it: a slow moment, a restart or a demo's clock is no trouble."""

INTAKE_LATE_S: Final = 300.0
POLLS_LATE_S: Final = 900.0
_POLLS_MISSED: Final = 5
LOOP_FAILING_S: Final = 300.0
JOB_FAILING_S: Final = 900.0
_ROUNDS_FAILED: Final = 3
JOB_HANGING_S: Final = 6 * 3600.0
_COUNTED_TO: Final = 10_000

_INTAKE: Final = "intake_late"
_POLLS: Final = "polls_late"
_LOOP: Final = "loop_failing"
_JOB: Final = "job_failing"
_TOLD_ELSEWHERE: Final = ("channel_down", "auth_expired")


@dataclass(frozen=True, slots=True)
class Polled:
    """An account whose orders are polled that often; `last_page_at`: when a poll last brought something."""

    key: str
    account_id: int
    every_s: float
    last_page_at: Callable[[], datetime | None]

    @property
    def late_after_s(self) -> float:
        return max(POLLS_LATE_S, _POLLS_MISSED * self.every_s)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the database says. `oldest_new_at`: of news not taken in, of which there are `new`; by account id else."""

    oldest_new_at: datetime | None
    new: int
    polled_to: Mapping[int, datetime | None]
    told_elsewhere: frozenset[int]
    open: frozenset[str]


@dataclass(frozen=True, slots=True)
class Work:
    """How the loops and jobs of this process are doing."""

    loops: Callable[[], frozenset[str]]
    failing: Callable[[], Mapping[str, Failing]]
    well: Callable[[], frozenset[str]]
    jobs: Callable[[], Sequence[JobRun]]


class Lateness:
    """Looks once a minute, under the scheduler's lease."""

    def __init__(
        self,
        db: Transactor,
        clock: Clock,
        lease: Callable[[], Lease],
        real_now: Callable[[], datetime],
        accounts: Iterable[Polled],
        work: Work,
    ) -> None:
        self._db = db
        self._clock = clock
        self._lease = lease
        self._real_now = real_now
        self._accounts = tuple(accounts)
        self._work = work
        self._begun_at = clock.now()
        self._seen_since: dict[str, datetime] = {}  # real, by key

    def jobs(self) -> tuple[Job, ...]:
        return (Job("watch_work", EVERY_S, self.look),)

    async def look(self) -> None:
        """Open an alert for what has been late for two looks, and close those of what is well again."""
        now, real_now = self._clock.now(), self._real_now()
        progress = await self._db.read(read_progress)
        found = [*self._late_intake(progress, now), *self._late_polls(progress, now), *self._failing(now)]
        self._seen_since = {each.key: self._seen_since.get(each.key, real_now) for each in found}
        opened = [
            each
            for each in found
            if each.key not in progress.open and real_now - self._seen_since[each.key] >= SEEN_FOR
        ]
        closed = sorted(key for key in progress.open - self._seen_since.keys() if self._is_over(key))
        if opened or closed:
            await self._db.transact(_note, self._lease(), opened, closed, now)

    def _late_intake(self, progress: Progress, now: datetime) -> Iterable[Alert]:
        oldest = progress.oldest_new_at
        if oldest is None or (now - oldest).total_seconds() < INTAKE_LATE_S:
            return
        waiting = f"{progress.new:,} {'events' if progress.new < _COUNTED_TO else 'events or more'}"
        message = f"news is not taken in: the oldest has waited since {oldest:%Y-%m-%d %H:%M} UTC, {waiting} wait"
        yield Alert(_INTAKE, _INTAKE, "orders reserve nothing until they are taken in", message, detail=waiting)

    def _late_polls(self, progress: Progress, now: datetime) -> Iterable[Alert]:
        runs = {run.name: run for run in self._work.jobs()}
        for each in self._accounts:
            run = runs.get(f"poll:{each.key}")
            key = f"{_POLLS}:{each.account_id}"
            page_at = None if _pages_are_in_vain(run, now, told=key in progress.open) else each.last_page_at()
            known = (progress.polled_to.get(each.account_id), page_at, self._begun_at)
            reached = max(at for at in known if at is not None)
            late = (now - reached).total_seconds() >= each.late_after_s
            if not late or each.account_id in progress.told_elsewhere:
                continue
            error = run.failed if run is not None else None
            why = f"the last poll failed ({error}); the log has the details" if error else "no poll comes to its end"
            message = f"the orders of {each.key} have not been polled since {reached:%Y-%m-%d %H:%M} UTC: {why}"
            impact = "orders that no webhook brings do not come in"
            yield Alert(key, _POLLS, impact, message, each.account_id, detail=why)

    def _failing(self, now: datetime) -> Iterable[Alert]:
        for name, failing in self._work.failing().items():
            if failing.for_s >= LOOP_FAILING_S:
                impact = "what it does is not done until it works again"
                message = _failing_message(name, failing.error)
                yield Alert(f"{_LOOP}:{name}", _LOOP, impact, message, subject=name, detail=failing.error)
        for run in self._work.jobs():
            trouble = _trouble(run, now)
            if trouble is not None and not run.name.startswith("poll:"):  # which `polls_late` tells of
                impact = "what it looks after is not looked after"
                message = _failing_message(run.name, trouble)
                yield Alert(f"{_JOB}:{run.name}", _JOB, impact, message, subject=run.name, detail=trouble)

    def _is_over(self, key: str) -> bool:
        """Whether an alert that tells of nothing late may close: what has not run here yet may fail again."""
        kind, _, name = key.partition(":")
        if kind == _LOOP:
            return name in self._work.well() or name not in self._work.loops()
        if kind == _JOB:
            run = {each.name: each for each in self._work.jobs()}.get(name)
            return run is None or (run.ended_at is not None and run.failing_since is None)
        return True


def _pages_are_in_vain(run: JobRun | None, now: datetime, *, told: bool) -> bool:
    """Whether the last poll failed, whose pages will be read again, and none goes on for a while since.

    Once that is told, only a poll that comes to its end takes it back: the next may fail at its end as well.
    """
    if run is None or run.failed is None:
        return False
    if told:
        return True
    goes_on = run.running and run.began_at is not None and (now - run.began_at).total_seconds() >= EVERY_S
    return not goes_on


def _trouble(run: JobRun, now: datetime) -> str | None:
    """What is wrong with a job, if it has been for long."""
    if run.running and run.began_at is not None:
        hanging_s = max(JOB_HANGING_S, _ROUNDS_FAILED * run.every_s)
        if (now - run.began_at).total_seconds() >= hanging_s:
            return "its round does not end"
    if run.failing_since is None or run.failed is None:
        return None
    failing_s = max(JOB_FAILING_S, _ROUNDS_FAILED * run.every_s)
    return run.failed if (now - run.failing_since).total_seconds() >= failing_s else None


def _failing_message(name: str, error: str) -> str:
    return f"{name} fails every time: {error}. The log has the details"


def read_progress(connection: Connection) -> Progress:
    oldest = _oldest_new(connection).scalar_one_or_none()
    polled = connection.execute(select(cursor.c.account_id, cursor.c.polled_to).where(cursor.c.stream == "orders"))
    down = _open_of(connection, _TOLD_ELSEWHERE)
    return Progress(
        oldest,
        0 if oldest is None else int(_count_new(connection).scalar_one()),
        {row.account_id: row.polled_to for row in polled},
        frozenset(account_id for _, account_id in down if account_id is not None),
        frozenset(key for key, _ in _open_of(connection, (_INTAKE, _POLLS, _LOOP, _JOB))),
    )


def _open_of(connection: Connection, kinds: Sequence[str]) -> list[tuple[str, int | None]]:
    wanted = [constant(each) for each in kinds]
    found = select(alert.c.key, alert.c.account_id).where(alert.c.closed_at.is_(None), alert.c.kind.in_(wanted))
    return [(row.key, row.account_id) for row in connection.execute(found)]


@statement
def _oldest_new(_: Given) -> Executable:
    return select(inbox.c.received_at).where(inbox.c.state == constant("new")).order_by(inbox.c.id).limit(1)


@statement
def _count_new(_: Given) -> Executable:
    some = select(inbox.c.id).where(inbox.c.state == constant("new")).limit(_COUNTED_TO).subquery("some_rows")
    return select(func.count()).select_from(some)


def _note(connection: Connection, lease: Lease, opened: Sequence[Alert], closed: Sequence[str], now: datetime) -> None:
    guard(connection, lease)
    open_alerts(connection, opened, now)
    close_alerts(connection, closed, now)
