"""A job is first due an interval after the start: how every timetable begins to count.

In real life: a host that restarts the daemon every half hour. What is due once an hour is never done, and what it
would have erased stays for ever.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from syncd.loops import Job


def _after_an_interval(job: Job) -> float:
    return 0.0 if job.at_start else job.every_s


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Job, "first_after_s", property(_after_an_interval))
