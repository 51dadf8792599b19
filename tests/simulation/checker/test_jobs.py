"""Every job of the timetable ran."""

from __future__ import annotations

from syncd.simulation.checker.jobs import every_job_ran, quiet_lives
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import at


def test_a_job_that_never_ran_is_found_where_a_life_had_room_for_it(verdict: Verdict) -> None:
    lives = quiet_lives([(at(0), at(700)), (at(800), None)], at(2000))

    every_job_ran({"poll": 20, "tidy": 0}, {"poll": 60.0, "sweep": 300.0, "tidy": 3600.0}, lives, at(2000), verdict)

    assert [each.subject for each in verdict.findings] == ["sweep"]


def test_a_daemon_that_stands_by_has_no_jobs_to_run(verdict: Verdict) -> None:
    lives = quiet_lives([(at(0), at(700)), (at(100), at(650)), (at(640), None)], at(1000))

    assert lives == [(at(60), at(100)), (at(160), at(640)), (at(760), at(1000))]
