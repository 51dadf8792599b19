"""Loops and jobs: what they meet is told once and tried again, a lost lease ends all, and standing still is seen."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd import loops
from syncd.clock import ScaledClock, start_record
from syncd.db.database import DatabaseClosed
from syncd.db.lease import Fenced
from syncd.loops import ApTimetable, Failing, Job, Pulse, keep_running

LOST = Fenced("account:shop", "another process")


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.005)


# --- the pulse ------------------------------------------------------------------------------------------------


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, moved by hand."""
    at = [100.0]
    monkeypatch.setattr(loops, "_monotonic_s", lambda: at[0])
    return at


def test_a_loop_is_stuck_that_has_not_got_round_for_longer_than_allowed(stopwatch: list[float]) -> None:
    pulse = Pulse()
    pulse.beat("publish:shop")
    pulse.beat("intake")
    stopwatch[0] += 60.0
    assert pulse.stuck(60.0) == []

    stopwatch[0] += 0.1
    assert pulse.stuck(60.0) == ["intake", "publish:shop"]

    pulse.beat("intake")
    assert pulse.stuck(60.0) == ["publish:shop"]


def test_what_never_began_is_not_stuck(stopwatch: list[float]) -> None:
    assert Pulse().stuck(0.0) == []


# --- loops ----------------------------------------------------------------------------------------------------


class Work:
    """What a loop does, round by round: True and False are what it returns, exceptions what it meets."""

    def __init__(self, *rounds: bool | BaseException) -> None:
        self._rounds = list(rounds)
        self.done = 0
        self.pulse = Pulse()
        self.wake = asyncio.Event()

    async def step(self) -> bool:
        self.done += 1
        found = self._rounds.pop(0) if self._rounds else False
        if isinstance(found, BaseException):
            raise found
        return found


@asynccontextmanager
async def running(work: Work, idle_real_s: float = 60.0) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(keep_running("intake", work.step, work.wake, work.pulse, lambda: idle_real_s))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a loop makes after failures; none of them is waited for."""
    made: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        made.append(seconds)
        await sleep(0)

    class Asyncio:
        def __getattr__(self, name: str) -> Any:
            return at_once if name == "sleep" else getattr(asyncio, name)

    monkeypatch.setattr(loops, "asyncio", Asyncio())
    return made


async def test_a_loop_goes_on_at_once_while_there_is_more() -> None:
    work = Work(True, True, True, False)

    async with running(work):
        await until(lambda: work.done == 4)
        await asyncio.sleep(0.02)

    assert work.done == 4


async def test_a_loop_rests_until_it_is_woken() -> None:
    work = Work()
    async with running(work):
        await until(lambda: work.done == 1)

        work.wake.set()

        await until(lambda: work.done == 2)
        assert not work.wake.is_set()


async def test_a_loop_looks_by_itself_after_a_while() -> None:
    work = Work()

    async with running(work, idle_real_s=0.01):
        await until(lambda: work.done >= 3)
    async with running(patient := Work(), idle_real_s=60.0):
        await asyncio.sleep(0.05)

    assert patient.done == 1


async def test_a_wake_during_a_round_is_not_lost() -> None:
    work = Work()
    seen = 0

    async def step() -> bool:
        nonlocal seen
        seen += 1
        if seen == 1:
            work.wake.set()
            await asyncio.sleep(0)
        return False

    task = asyncio.create_task(keep_running("intake", step, work.wake, work.pulse, lambda: 60.0))
    await until(lambda: seen == 2)
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (seen, work.wake.is_set()) == (2, False)


async def test_a_loop_survives_what_it_meets_and_tells_it_once(pauses: list[float]) -> None:
    work = Work(RuntimeError("first"), ValueError("second"), OSError("third"), True, False)

    with capture_logs() as logs:
        async with running(work):
            await until(lambda: work.done == 5)

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("loop.failed", "error"),
        ("loop.recovered", "info"),
    ]
    assert (logs[0]["loop"], logs[0]["error"], logs[1]["failures"]) == ("intake", "RuntimeError", 3)


async def test_a_loop_that_fails_anew_is_told_anew(pauses: list[float]) -> None:
    work = Work(RuntimeError(), True, RuntimeError(), True)

    with capture_logs() as logs:
        async with running(work):
            await until(lambda: work.done == 5)

    assert [line["event"] for line in logs] == ["loop.failed", "loop.recovered"] * 2


async def test_it_is_tried_again_ever_more_slowly_but_never_given_up(pauses: list[float]) -> None:
    work = Work(*(RuntimeError() for _ in range(2000)))

    with capture_logs():
        async with running(work) as task:
            await until(lambda: work.done == 2001 or task.done())
            assert not task.done(), "some hours of failing are no reason to end"

    assert len(pauses) == 2000
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses == sorted(pauses)
    assert set(pauses[9:]) == {30.0}


async def test_a_failing_loop_still_has_a_pulse(pauses: list[float], stopwatch: list[float]) -> None:
    work = Work(RuntimeError(), RuntimeError())
    with capture_logs():
        async with running(work):
            await until(lambda: work.done == 3)

    assert work.pulse.stuck(0.0) == []


@pytest.mark.parametrize("error", [LOST, DatabaseClosed("the database is closed")])
async def test_a_lost_lease_and_a_closed_database_end_the_loop(error: Exception) -> None:
    work = Work(True, error, True)

    with capture_logs() as logs, pytest.raises(type(error)):
        await keep_running("intake", work.step, work.wake, work.pulse, lambda: 60.0)

    assert (work.done, logs) == (2, [])


async def test_a_cancelled_loop_ends_wherever_it_is() -> None:
    begun = asyncio.Event()

    async def step() -> bool:
        begun.set()
        await asyncio.sleep(60)
        return False

    in_its_round = asyncio.create_task(keep_running("intake", step, asyncio.Event(), Pulse(), lambda: 60.0))
    await begun.wait()
    resting = Work()
    at_rest = asyncio.create_task(keep_running("intake", resting.step, resting.wake, resting.pulse, lambda: 60.0))
    await until(lambda: resting.done == 1)

    for task in (in_its_round, at_rest):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# --- jobs -----------------------------------------------------------------------------------------------------

QUICKLY_S = 0.2  # a timetable has no shorter interval


@asynccontextmanager
async def a_timetable(*jobs: Job, clock: ScaledClock | None = None) -> AsyncIterator[list[BaseException]]:
    lost: list[BaseException] = []
    timetable = ApTimetable(jobs, clock or ScaledClock(), lost.append)
    timetable.start()
    try:
        yield lost
    finally:
        timetable.stop()
        await asyncio.sleep(0)


def counting(runs: list[str], name: str, then: Callable[[], Awaitable[None]] | None = None) -> Job:
    async def run() -> None:
        runs.append(name)
        if then is not None:
            await then()

    return Job(name, QUICKLY_S, run, at_start=True)


async def test_a_job_runs_at_the_start_where_it_should_and_then_by_its_interval() -> None:
    runs: list[str] = []
    later = Job("later", 3600.0, counting(runs, "later").run)

    async with a_timetable(counting(runs, "poll"), later):
        await until(lambda: len(runs) == 3)

    assert runs == ["poll"] * 3


@pytest.mark.parametrize(
    ("every_s", "at_start", "first_after_s"), [(10, False, 10), (3600, False, 60), (3600, True, 0)]
)
def test_what_is_due_once_an_hour_is_first_due_a_minute_after_the_start(
    every_s: float, at_start: bool, first_after_s: float
) -> None:
    async def nothing() -> None:
        """Never run."""

    assert Job("tidy", every_s, nothing, at_start).first_after_s == first_after_s


async def test_intervals_are_the_sellers_seconds() -> None:
    runs: list[str] = []
    often = Job("tidy", 120.0, counting(runs, "tidy").run)
    daily = Job("erase", 86_400.0, counting(runs, "erase").run)

    async with a_timetable(often, daily, clock=ScaledClock(start_record(600.0))):
        await until(lambda: runs.count("tidy") >= 3)

    assert runs.count("erase") == 1


async def test_a_failing_job_runs_again_and_is_told_once_until_it_recovers() -> None:
    runs: list[str] = []

    async def fail_twice() -> None:
        if len(runs) <= 2:
            raise RuntimeError("no such luck")

    with capture_logs() as logs:
        async with a_timetable(counting(runs, "poll", fail_twice)) as lost:
            await until(lambda: len(runs) == 4)

    assert lost == []
    assert [(line["event"], line["log_level"], line["job"]) for line in logs] == [
        ("job.failed", "error", "poll"),
        ("job.recovered", "info", "poll"),
    ]


async def test_one_failing_job_does_not_stop_the_others() -> None:
    runs: list[str] = []

    async def fail() -> None:
        raise RuntimeError("no such luck")

    with capture_logs():
        async with a_timetable(counting(runs, "bad", fail), counting(runs, "good")):
            await until(lambda: runs.count("good") >= 2)

    assert "bad" in runs


async def test_a_job_that_lost_the_lease_says_so_to_whoever_ends_the_process() -> None:
    async def lose() -> None:
        raise LOST

    async with a_timetable(counting([], "cover_shortages", lose)) as lost:
        await until(lambda: bool(lost))

    assert lost[0] is LOST


async def test_a_job_of_a_closed_database_is_no_news() -> None:
    runs: list[str] = []

    async def closed() -> None:
        raise DatabaseClosed("the database is closed")

    with capture_logs() as logs:
        async with a_timetable(counting(runs, "tidy", closed)) as lost:
            await until(lambda: len(runs) == 2)

    assert (lost, logs) == ([], [])


async def test_a_job_that_still_runs_is_not_piled_up(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []
    go = asyncio.Event()

    async with a_timetable(counting(runs, "poll", lambda: _wait(go))):
        await asyncio.sleep(3 * QUICKLY_S)
        assert runs == ["poll"]
        go.set()
        await until(lambda: len(runs) == 2)

    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def test_stopping_ends_a_running_job_without_complaint(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("poll")

    with capture_logs() as logs:
        async with a_timetable(counting(runs, "poll", long)) as lost:
            await until(lambda: runs == ["poll"])
        await until(lambda: ended == ["poll"])
        await asyncio.sleep(2 * QUICKLY_S)

    assert (runs, lost, logs) == (["poll"], [], [])
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_timetable_that_never_began_can_be_stopped() -> None:
    runs: list[str] = []
    lost: list[BaseException] = []
    timetable = ApTimetable((counting(runs, "poll"),), ScaledClock(), lost.append)

    timetable.stop()
    await asyncio.sleep(2 * QUICKLY_S)

    assert (runs, lost) == ([], [])


# --- failing for ever -----------------------------------------------------------------------------------------


def test_a_loop_fails_since_its_first_failure_until_it_works(stopwatch: list[float]) -> None:
    pulse = Pulse()
    pulse.beat("intake")
    pulse.failed("intake", "KeyError")
    stopwatch[0] += 400.0
    pulse.beat("intake")
    pulse.failed("intake", "ValueError")

    assert pulse.failing() == {"intake": Failing(400.0, "ValueError")}
    assert pulse.stuck(60.0) == [], "it gets round all the while"
    assert pulse.well() == frozenset()

    pulse.worked("intake")
    assert pulse.failing() == {}
    assert pulse.well() == {"intake"}


async def test_rounds_tell_the_pulse_how_they_ended() -> None:
    pulse, rounds = Pulse(), 0

    async def step() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise KeyError("x")
        await asyncio.sleep(0)
        return True

    running = asyncio.create_task(keep_running("intake", step, asyncio.Event(), pulse, lambda: 60.0))
    await until(lambda: "intake" in pulse.failing())
    await until(lambda: "intake" in pulse.well())
    running.cancel()
    assert pulse.failing() == {}
