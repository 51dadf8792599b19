"""The table of jobs by a led clock: what fell due several times while time was moved is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from syncd.loops import Job, JobRunner
from syncd.simulation.led.board import Board
from syncd.simulation.led.clock import LedClock


class LedTimetable:
    """Time does not stop for a job. It is looked at whenever time has moved, and rests really between its rounds."""

    def __init__(
        self, jobs: tuple[Job, ...], clock: LedClock, board: Board, lost: Callable[[BaseException], None]
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._board = board
        self._began: dict[str, float] = {}
        self._runner = JobRunner(lost)
        self._due: dict[str, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        now = self._clock.now()
        self._due = {job.name: now + timedelta(seconds=job.first_after_s) for job in self._jobs}
        self._clock.on_move(self._look)
        self._look()

    def stop(self) -> None:
        self._due = {}
        for task in self._running.values():
            task.cancel()

    def _look(self) -> None:
        now, real_now = self._clock.now(), asyncio.get_running_loop().time()
        for job in self._jobs:
            running = self._running.get(job.name)
            paused = real_now - self._began.get(job.name, 0.0) < job.every_s / self._board.job_speed
            if self._due and self._due[job.name] <= now and not paused and (running is None or running.done()):
                self._due[job.name] = _after(job, now)
                self._began[job.name] = real_now
                self._running[job.name] = asyncio.create_task(self._runner.run(job), name=job.name)


def _after(job: Job, at: datetime) -> datetime:
    return at + timedelta(seconds=job.every_s)
