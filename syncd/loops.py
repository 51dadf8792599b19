"""Keep work going: loops that survive what they meet, jobs by a table, and a watch over their progress."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from syncd.clock import ScaledClock, real_now
from syncd.db.database import DatabaseClosed
from syncd.db.lease import Fenced

log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[bool]]
"""One round of a loop; returns whether there is more to do at once."""

_LONGEST_PAUSE_S = 30.0
_SOON_S = 60.0
_SHORTEST_S = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a timetable, in the seller's seconds; safe to miss or to repeat."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    at_start: bool = False

    @property
    def first_after_s(self) -> float:
        """How long after the start it is first due: a process that never lives for an interval does its work too."""
        return 0.0 if self.at_start else min(self.every_s, _SOON_S)


@dataclass(frozen=True, slots=True)
class Failing:
    """A loop that meets the same trouble round after round: for so many real seconds, the last an error so named."""

    for_s: float
    error: str


class Pulse:
    """When each loop last got round: real progress, which the service manager's watchdog is tied to.

    A loop whose rounds all fail gets round too: since when is kept besides.
    """

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}
        self._failing: dict[str, tuple[float, str]] = {}
        self._worked: set[str] = set()

    def beat(self, name: str) -> None:
        self._beats[name] = _monotonic_s()

    def worked(self, name: str) -> None:
        """A round of this loop ended well."""
        self._worked.add(name)
        self._failing.pop(name, None)

    def failed(self, name: str, error: str) -> None:
        since = self._failing[name][0] if name in self._failing else _monotonic_s()
        self._failing[name] = (since, error)

    def failing(self) -> dict[str, Failing]:
        """The loops whose last round failed."""
        now = _monotonic_s()
        return {name: Failing(now - since, error) for name, (since, error) in self._failing.items()}

    def names(self) -> frozenset[str]:
        """The loops that this process runs."""
        return frozenset(self._beats)

    def well(self) -> frozenset[str]:
        """The loops that have worked in this process, and do."""
        return frozenset(self._worked - self._failing.keys())

    def stuck(self, limit_s: float) -> list[str]:
        """The loops that have not got round for so many real seconds."""
        now = _monotonic_s()
        return sorted(name for name, at in self._beats.items() if now - at > limit_s)


async def keep_running(
    name: str,
    step: Step,
    wake: asyncio.Event,
    pulse: Pulse,
    idle_real_s: Callable[[], float],
) -> None:
    """Run `step` for ever: again at once while it says there is more, else when woken or after a real pause.

    What it meets is logged once and tried again ever more slowly; losing the lease ends the process.
    """
    failures = 0
    while True:
        wake.clear()
        pulse.beat(name)
        try:
            more = await step()
        except (Fenced, DatabaseClosed):
            raise
        except Exception as err:
            failures += 1
            pulse.failed(name, type(err).__name__)
            if failures == 1:
                log.error("loop.failed", loop=name, error=type(err).__name__, exc_info=err)
            await asyncio.sleep(min(_LONGEST_PAUSE_S, 0.1 * 2 ** min(failures, 10)))
            continue
        pulse.worked(name)
        if failures:
            log.info("loop.recovered", loop=name, failures=failures)
            failures = 0
        if more:
            continue
        try:
            await asyncio.wait_for(wake.wait(), idle_real_s())
        except TimeoutError:
            continue


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()


class Timetable(Protocol):
    """Whatever drives a table of jobs: APScheduler in life, virtual time in the simulation."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class ApTimetable:
    """Drives the table of jobs by APScheduler; a job that is late or still running is not piled up."""

    def __init__(self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        # A run that is due while the last one still works is left out, which is as it should be and no warning.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._runner = JobRunner(lost)
        now = real_now()
        for job in jobs:
            first_after_s = 0.0 if job.at_start else max(_SHORTEST_S, clock.real_seconds(job.first_after_s))
            self._scheduler.add_job(
                self._runner.run,
                IntervalTrigger(seconds=max(_SHORTEST_S, clock.real_seconds(job.every_s)), timezone="UTC"),
                args=[job],
                id=job.name,
                next_run_time=now + timedelta(seconds=first_after_s),
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


class JobRunner:
    """Runs jobs one round at a time; what a round meets is logged once and left to the next."""

    def __init__(self, lost: Callable[[BaseException], None]) -> None:
        self._lost = lost
        self._failed: set[str] = set()

    async def run(self, job: Job) -> None:
        try:
            await job.run()
        except asyncio.CancelledError:
            return  # only `stop` cancels a job, and APScheduler would log that as its failure
        except Fenced as err:
            self._lost(err)
        except DatabaseClosed:
            return
        except Exception as err:
            if job.name not in self._failed:
                self._failed.add(job.name)
                log.error("job.failed", job=job.name, error=type(err).__name__, exc_info=err)
        else:
            if job.name in self._failed:
                self._failed.discard(job.name)
                log.info("job.recovered", job=job.name)
