"""Jobs run as APScheduler would have them run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest import mock

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval

from syncd.clock import ScaledClock
from syncd.loops import ApTimetable, Job
from syncd.simulation.kit.loop import VirtualWall
from syncd.simulation.kit.timetable import Rounds, VirtualTimetable
from tests.simulation.kit.machines import NOON, now, virtually


def jobs(runs: list[tuple[str, float]]) -> tuple[Job, ...]:
    def job(name: str, every_s: float, takes_s: float, *, at_start: bool = False) -> Job:
        async def run() -> None:
            runs.append((name, round(now(), 3)))
            await asyncio.sleep(takes_s)

        return Job(name, every_s, run, at_start)

    return (
        job("quick", 60.0, 0.0),
        job("at once", 300.0, 1.0, at_start=True),
        job("slow", 100.0, 250.0),
        job("rare", 1800.0, 5.0),
    )


def run_for_an_hour(make: Callable[[tuple[Job, ...], ScaledClock], Any]) -> list[tuple[str, float]]:
    runs: list[tuple[str, float]] = []

    async def main() -> None:
        wall = VirtualWall(asyncio.get_running_loop(), NOON)  # type: ignore[arg-type]

        class Now(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return wall.now().astimezone(tz)

        with (
            mock.patch.object(apscheduler.schedulers.base, "datetime", Now),
            mock.patch.object(apscheduler.executors.base, "datetime", Now),
            mock.patch.object(apscheduler.triggers.interval, "datetime", Now),
            mock.patch("syncd.loops.real_now", wall.now),
        ):
            table = make(jobs(runs), ScaledClock(real=wall.now))
            table.start()
            await asyncio.sleep(3601.0)
            table.stop()
            await asyncio.sleep(0)

    virtually(main())
    return runs


def test_the_table_of_jobs_runs_them_as_apscheduler_would() -> None:
    def lost(err: BaseException) -> None:
        raise err

    rounds = Rounds()

    simulated = run_for_an_hour(lambda table, clock: VirtualTimetable(table, clock, lost, rounds))
    real = run_for_an_hour(lambda table, clock: ApTimetable(table, clock, lost))

    begun = Counter(name for name, _ in simulated)
    assert begun == Counter(name for name, _ in real) == {"quick": 60, "at once": 13, "slow": 12, "rare": 2}
    assert begun - rounds.counted == {"at once": 1, "slow": 1}, "their last rounds were cut off"
    for name, at in simulated:
        assert any(other == name and abs(at - when) < 1.0 for other, when in real), (name, at)
