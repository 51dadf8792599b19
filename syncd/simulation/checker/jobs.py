"""Every job of the timetable does its work when it is due: what never runs finds nothing wrong either."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from syncd.simulation.checker.bounds import JOB_SLACK_S, Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.kit.timetable import Rounds


def every_job_got_round(rounds: Rounds, bounds: Bounds, now: datetime, verdict: Verdict) -> None:
    """Once an interval, counted over all lives: a daemon that is killed every half hour does what is due once an hour.

    Time without a daemon, and spells of trouble, are granted, and after these another interval. The first round is due
    as if one had ended at the start.
    """
    began = min((life.from_at for life in bounds.happenings.lives), default=now)
    for name, every_s in sorted(rounds.every_s.items()):
        vendor = name.split(":")[1:2]  # of the jobs that are one account's or warehouse's
        for since, until in pairwise([began, *sorted(rounds.ended[name]), now]):
            due = bounds.due(since, every_s + JOB_SLACK_S, *vendor)
            if _was_in_trouble(bounds, since, due):  # it may have failed: once more, then
                due = bounds.due(since, 2 * every_s + JOB_SLACK_S, *vendor)
            if until > due:
                verdict.find("waiting.job", name, due, f"not done from {since} to {until}, due every {every_s:.0f} s")


def _was_in_trouble(bounds: Bounds, since: datetime, until: datetime) -> bool:
    return any(each.key is None and each.from_at < until and each.to_at > since for each in bounds.happenings.spells)
