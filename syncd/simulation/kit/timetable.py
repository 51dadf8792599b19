"""The table of jobs in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from syncd.clock import ScaledClock
from syncd.loops import Job, JobRunner


class VirtualTimetable:
    """Drives jobs as APScheduler does: by their interval, one round at a time, late ones not piled up."""

    def __init__(
        self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None], runs: Counter[str]
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._runner = JobRunner(lost)
        self._runs = runs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(job)) for job in self._jobs]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        every_s = max(0.2, self._clock.real_seconds(job.every_s))
        due = loop.time() + (0.0 if job.at_start else every_s)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._runs[job.name] += 1
            await self._runner.run(job)
            if _is_to_end():  # a job takes its cancellation for the end of this round
                return
            missed = int(max(0.0, loop.time() - due) // every_s)
            due += every_s * (1 + missed)


def _is_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
