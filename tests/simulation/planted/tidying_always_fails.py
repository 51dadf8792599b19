"""Tidying raises each time it runs, and the timetable goes on calling it.

In real life: a column was renamed, and the one statement that names it is in a job that nobody waits for. It runs on
time, every hour.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def _raise(*_: object) -> dict[str, int]:
    raise KeyError("settled_at")


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.jobs.tidy", _raise)
