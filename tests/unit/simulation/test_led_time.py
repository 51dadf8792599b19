"""Time that is led: it moves when nothing is left to do, stops where somebody waits, and never for a job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.loops import Job
from syncd.simulation.led.board import NEVER, Board
from syncd.simulation.led.clock import LedClock
from syncd.simulation.led.conductor import Conductor, LeadersClock
from syncd.simulation.led.loop import LedLoop
from syncd.simulation.led.timetable import LedTimetable

START = datetime(2010, 12, 1, 8, 0, tzinfo=UTC)
Work = Callable[[LedClock], Awaitable[None]]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board.create(tmp_path / "time.board", START)
    yield board
    board.close()


@pytest.fixture
def conductor(board: Board) -> Iterator[Conductor]:
    conductor = Conductor(board)
    yield conductor
    conductor.close()


class Follower:
    """A loop in a thread, as another process would have it, until its work has ended."""

    def __init__(self, board: Board, work: Work) -> None:
        self._board = board
        self._work = work
        self._sits = threading.Event()
        self._thread = threading.Thread(target=self._run)

    async def __aenter__(self) -> Follower:
        self._thread.start()
        await asyncio.to_thread(self._sits.wait)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: LedLoop(self._board, 0)) as runner:
            runner.run(self._begin())
        self._board.leave(0)

    async def _begin(self) -> None:
        work = asyncio.ensure_future(self._work(LedClock(self._board, 0)))
        await asyncio.sleep(0)
        self._sits.set()
        await work


def after(**span: float) -> datetime:
    return START + timedelta(**span)


async def test_who_sleeps_is_woken_when_time_has_come_that_far(board: Board, conductor: Conductor) -> None:
    woken: list[datetime] = []

    async def work(clock: LedClock) -> None:
        for _ in range(3):
            await clock.sleep(100.0)
            woken.append(clock.now())

    async with Follower(board, work):
        await conductor.move_to(after(seconds=90))
        assert woken == []
        await conductor.move_to(after(hours=1))

    assert woken == [after(seconds=100), after(seconds=200), after(seconds=300)]
    assert conductor.now() == after(hours=1), "an idle span is jumped"


async def test_what_falls_due_almost_together_is_done_together(board: Board, conductor: Conductor) -> None:
    woken: list[datetime] = []

    async def sleeper(clock: LedClock, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.now())

    async def work(clock: LedClock) -> None:
        await asyncio.gather(*(sleeper(clock, 10.0 + n / 10) for n in range(10)))

    async with Follower(board, work):
        await conductor.move_to(after(minutes=1))

    assert len(set(woken)) <= 2
    assert conductor.moves <= 3


async def test_time_stands_still_while_somebody_works(board: Board, conductor: Conductor) -> None:
    seen: list[datetime] = []

    async def work(clock: LedClock) -> None:
        await clock.sleep(10.0)
        for _ in range(5):
            await asyncio.to_thread(threading.Event().wait, 0.02)  # a transaction in its thread
            seen.append(clock.now())

    async with Follower(board, work):
        await conductor.move_to(after(minutes=5))

    assert seen == [after(seconds=10)] * 5


async def test_a_job_that_fell_due_often_in_a_jump_is_done_once(board: Board, conductor: Conductor) -> None:
    rounds: list[datetime] = []
    board.set_job_speed(10**9)

    async def work(clock: LedClock) -> None:
        async def run() -> None:
            rounds.append(clock.now())

        timetable = LedTimetable((Job("poll", 60.0, run),), clock, board, _fail)
        timetable.start()
        await clock.sleep(7200.0)
        await clock.sleep(30.0)
        timetable.stop()

    async with Follower(board, work):
        await conductor.move_to(after(hours=3))

    assert rounds[0] == after(hours=2)
    assert len(rounds) == 1


async def test_an_alarm_stops_time_and_one_taken_away_does_not(board: Board, conductor: Conductor) -> None:
    rung: list[datetime] = []

    async def work(clock: LedClock) -> None:
        clock.set_alarm("kept", after(minutes=5), lambda: rung.append(clock.now()))
        clock.set_alarm("dropped", after(minutes=3), lambda: rung.append(clock.now()))
        clock.set_alarm("dropped", None, lambda: None)
        await clock.sleep(600.0)

    async with Follower(board, work):
        await conductor.move_to(after(minutes=10))

    assert rung == [after(minutes=5)]


async def test_a_cancelled_sleep_stops_nothing(board: Board, conductor: Conductor) -> None:
    async def work(clock: LedClock) -> None:
        asleep = asyncio.create_task(clock.sleep(100.0))
        await asyncio.sleep(0)
        asleep.cancel()
        await clock.sleep(300.0)

    async with Follower(board, work):
        await conductor.move_to(after(minutes=10))

    assert conductor.moves == 2


async def test_time_never_goes_back(board: Board, conductor: Conductor) -> None:
    conductor.jump_to(after(hours=2))

    conductor.jump_to(after(hours=1))

    assert conductor.now() == after(hours=2)


async def test_for_who_leads_to_sleep_is_to_let_time_pass(board: Board, conductor: Conductor) -> None:
    clock = LeadersClock(conductor)

    await clock.sleep(90.0)

    assert clock.now() == after(seconds=90)


def test_nobody_sits_at_a_slot_that_was_left(board: Board) -> None:
    board.take(1, 4711, 9)
    assert board.seen(1) is not None
    assert board.seen(1).due == NEVER  # type: ignore[union-attr]

    board.leave(1)

    assert board.seen(1) is None


def _fail(err: BaseException) -> None:
    raise AssertionError("a job was lost") from err
