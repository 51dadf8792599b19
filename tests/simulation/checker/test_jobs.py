"""Every job of the timetable does its work when it is due, over all lives."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from syncd.loops import Job
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.jobs import every_job_got_round
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings, Lived, Outage, Spell
from syncd.simulation.kit.timetable import Rounds, Streak
from tests.simulation.checker.builders import at

HOUR_S = 3600.0


def look(
    verdict: Verdict, done: list[float], lives: list[tuple[float, float | None]], now: float, name: str = "tidy"
) -> list[str]:
    """What is found of an hourly job that was done at these instants."""
    rounds = Rounds({name: HOUR_S})
    rounds.ended[name] = [at(seconds) for seconds in done]
    happenings = Happenings(
        lives=[Lived(at(begins), None if ends is None else at(ends)) for begins, ends in lives],
        outages=[Outage("bob", at(0), at(3 * HOUR_S))],
        spells=[Spell("locked", None, at(7 * HOUR_S), at(9 * HOUR_S))],
    )
    every_job_got_round(rounds, Bounds(happenings), at(now), verdict)
    return [each.subject for each in verdict.findings]


def test_a_job_that_is_done_at_its_interval_is_fine(verdict: Verdict) -> None:
    assert look(verdict, [60, 3660, 7260], [(0, None)], 9000) == []


@pytest.mark.parametrize("done", [[], [60], [60, 3660]])
def test_a_job_that_is_not_done_any_more_is_found(verdict: Verdict, done: list[float]) -> None:
    assert look(verdict, done, [(0, None)], 3 * HOUR_S) == ["tidy"]


def test_a_job_that_no_life_is_long_enough_for_is_found(verdict: Verdict) -> None:
    lives: list[tuple[float, float | None]] = [(3000.0 * n, 3000.0 * n + 2990) for n in range(5)]

    assert look(verdict, [], lives, 3 * HOUR_S) == ["tidy"]


def test_a_job_that_each_life_does_soon_is_fine(verdict: Verdict) -> None:
    lives: list[tuple[float, float | None]] = [(3000.0 * n, 3000.0 * n + 2990) for n in range(5)]

    assert look(verdict, [3000.0 * n + 60 for n in range(4)], lives, 3 * HOUR_S) == []


def test_time_without_a_daemon_is_granted(verdict: Verdict) -> None:
    assert look(verdict, [60, 3 * HOUR_S + 600], [(0, 1200), (3 * HOUR_S, None)], 4 * HOUR_S) == []


def test_trouble_of_its_vendor_is_granted_and_that_of_another_is_not(verdict: Verdict) -> None:
    assert look(verdict, [3 * HOUR_S], [(0, None)], 4 * HOUR_S, "webhooks:bob") == []
    assert look(verdict, [3 * HOUR_S], [(0, None)], 4 * HOUR_S, "webhooks:main-shop") == ["webhooks:main-shop"]


def test_trouble_of_the_daemon_itself_is_granted(verdict: Verdict) -> None:
    assert look(verdict, [6.9 * HOUR_S, 9 * HOUR_S], [(6.5 * HOUR_S, None)], 9.5 * HOUR_S) == []


def test_a_round_that_raises_is_not_done() -> None:
    rounds, fails = Rounds(), [True, False]

    async def tidy() -> None:
        if fails.pop(0):
            raise RuntimeError("no such column")

    watched = rounds.watch(Job("tidy", HOUR_S, tidy), lambda: at(0))
    with pytest.raises(RuntimeError):
        asyncio.run(_run(watched))
    assert rounds.counted["tidy"] == 0
    assert rounds.failing == [Streak("tidy", at(0), at(0))]
    asyncio.run(_run(watched))

    assert rounds.ended == {"tidy": [at(0)]}
    assert rounds.every_s == {"tidy": HOUR_S}
    assert rounds.failing == [Streak("tidy", at(0), at(0), over_at=at(0))]


async def _run(job: Job) -> None:
    await job.run()


def test_a_relief_that_goes_on_alone_is_granted_no_time_until_the_next_start() -> None:
    lives = [Lived(at(0), at(1000)), Lived(at(900), at(50_000)), Lived(at(50_010))]

    due: datetime = Bounds(Happenings(lives=lives)).due(at(990), 100.0)

    assert due < at(1300)
