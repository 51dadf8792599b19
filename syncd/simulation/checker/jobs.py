"""Every job of the timetable ran: what never runs finds nothing wrong either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from syncd.simulation.checker.verdict import Verdict

_JOBS_LEAST: Final = 0.5
"""Of the rounds that a job was due for: one that takes long leaves some out."""


def every_job_ran(
    runs: Mapping[str, int],
    every_s: Mapping[str, float],
    lives: Iterable[tuple[datetime, datetime]],
    now: datetime,
    verdict: Verdict,
) -> None:
    """Each job of the timetable as often as there was room for it between the starts and ends of daemons."""
    lived_s = [(until - since).total_seconds() for since, until in lives]
    for name, interval_s in sorted(every_s.items()):
        rounds = sum(int(each // interval_s) for each in lived_s)
        if runs.get(name, 0) < int(rounds * _JOBS_LEAST):
            verdict.find("waiting.job", name, now, f"due {rounds} times, ran {runs.get(name, 0)} times")


def quiet_lives(lives: Sequence[tuple[datetime, datetime | None]], now: datetime) -> list[tuple[datetime, datetime]]:
    """The spans in which no daemon began or ended and one ran, each less what it takes to take over.

    Of two that run one only stands by.
    """
    take_over = timedelta(seconds=60)
    instants = sorted({now, *(since for since, _ in lives), *(until for _, until in lives if until is not None)})
    return [
        (begins + take_over, ends)
        for begins, ends in pairwise(instants)
        if ends > begins + take_over and any(since <= begins and (until or now) >= ends for since, until in lives)
    ]
