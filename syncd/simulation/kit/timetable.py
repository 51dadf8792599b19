"""The table of jobs in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncd.clock import ScaledClock
from syncd.loops import Job, JobRunner


@dataclass(slots=True)
class Streak:
    """Rounds of one job in one life that have all raised: when the first of them began and the last ended.

    `over_at`: when the next one did its work; None: in that life none has.
    """

    job: str
    from_at: datetime
    last_at: datetime
    over_at: datetime | None = None


@dataclass(slots=True)
class Rounds:
    """When jobs have done their work, by name and over all lives: one that raised or was cut off has not.

    `every_s` is how often each is due; `failing` are all rounds that raised.
    """

    every_s: dict[str, float] = field(default_factory=dict)
    ended: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    failing: list[Streak] = field(default_factory=list)

    @property
    def counted(self) -> Counter[str]:
        return Counter({name: len(instants) for name, instants in self.ended.items()})

    def watch(self, job: Job, now: Callable[[], datetime]) -> Job:
        """The same job of one life, with its rounds noted."""
        self.every_s[job.name] = job.every_s
        failing: Streak | None = None

        async def run() -> None:
            nonlocal failing
            began = now()
            try:
                await job.run()
            except Exception:
                if failing is None:
                    failing = Streak(job.name, began, began)
                    self.failing.append(failing)
                failing.last_at = now()
                raise
            self.ended[job.name].append(now())
            if failing is not None:
                failing.over_at, failing = now(), None

        return replace(job, run=run)


class VirtualTimetable:
    """Drives jobs as APScheduler does: by their interval, one round at a time, late ones not piled up."""

    def __init__(
        self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None], rounds: Rounds
    ) -> None:
        self._jobs = tuple(rounds.watch(job, clock.now) for job in jobs)
        self._clock = clock
        self._runner = JobRunner(lost)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(job)) for job in self._jobs]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        every_s = max(0.2, self._clock.real_seconds(job.every_s))
        due = loop.time() + (0.0 if job.at_start else max(0.2, self._clock.real_seconds(job.first_after_s)))
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._runner.run(job)
            if _is_to_end():  # a job takes its cancellation for the end of this round
                return
            missed = int(max(0.0, loop.time() - due) // every_s)
            due += every_s * (1 + missed)


def _is_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
