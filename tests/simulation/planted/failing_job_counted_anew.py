"""Since when a job fails is set anew by each round that fails.

In real life: "since" is written where the error is, one line too low. A job that fails every half minute has never
failed for longer than that.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from unittest import mock

from syncd.alerts.lateness import _trouble
from syncd.insight.job_log import JobRun


def _since_its_last_round(run: JobRun, now: datetime) -> str | None:
    return _trouble(replace(run, failing_since=run.failing_since and run.began_at), now)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.alerts.lateness._trouble", _since_its_last_round)
