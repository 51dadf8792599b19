"""When each job of the timetable last ran, how it ended and when it is due again: in memory, for this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.contract import Clock
from syncd.loops import Job


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job in the seller's time. `failed` names the error of its last round; without `began_at` it never ran.

    `failing_since`: when the first of the rounds began that have all failed since.
    """

    name: str
    every_s: float
    began_at: datetime | None = None
    ended_at: datetime | None = None
    failed: str | None = None
    rounds: int = 0
    next_at: datetime | None = None
    failing_since: datetime | None = None

    @property
    def running(self) -> bool:
        return self.began_at is not None and (self.ended_at is None or self.ended_at < self.began_at)


class JobLog:
    """Notes the rounds of the jobs it watches. One process runs one timetable, and a restart begins anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[str, JobRun] = {}

    def watch(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """The same jobs, noted."""
        now = self._clock.now()
        for job in jobs:
            first_at = now + timedelta(seconds=job.first_after_s)
            self._runs[job.name] = JobRun(job.name, job.every_s, next_at=first_at)
        return tuple(self._watched(job) for job in jobs)

    def runs(self) -> tuple[JobRun, ...]:
        return tuple(self._runs[name] for name in sorted(self._runs))

    def _watched(self, job: Job) -> Job:
        async def run() -> None:
            began = self._clock.now()
            before = self._runs[job.name]
            due = began + timedelta(seconds=job.every_s)
            self._runs[job.name] = replace(before, began_at=began, rounds=before.rounds + 1, next_at=due)
            failed: str | None = "cancelled"
            try:
                await job.run()
                failed = None
            except Exception as err:
                failed = type(err).__name__
                raise
            finally:
                ended = self._clock.now()
                since = None if failed is None else before.failing_since or began
                self._runs[job.name] = replace(self._runs[job.name], ended_at=ended, failed=failed, failing_since=since)

        return replace(job, run=run)
