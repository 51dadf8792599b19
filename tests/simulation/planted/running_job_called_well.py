"""A job that has just begun is not looked at: "it may yet do its work".

In real life: whoever looks comes once a minute, the job begins twice a minute, and both began to count together. It
has always begun just then, and fails a moment later.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from unittest import mock

from syncd.alerts.lateness import _trouble
from syncd.insight.job_log import JobRun


def _unless_it_runs(run: JobRun, now: datetime) -> str | None:
    just_begun = run.began_at is not None and abs(now - run.began_at) < timedelta(seconds=1)
    return None if just_begun else _trouble(run, now)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.alerts.lateness._trouble", _unless_it_runs)
