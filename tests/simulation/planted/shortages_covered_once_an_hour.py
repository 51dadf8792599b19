"""What orders lack is looked for once an hour: goods arrive, and those who wait for them are given nothing until then.

In real life: a round that was made rare because "the delivery wakes it anyway". Nothing is on its way, every number is
right as far as the daemon knows, and an hour later all is well.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from syncd.jobs import Jobs
from syncd.loops import Job
from syncd.simulation.trial.plan import HOUR_S

_TABLE = Jobs.table


def _rarely(jobs: Jobs) -> tuple[Job, ...]:
    return tuple(replace(each, every_s=HOUR_S) if each.name == "cover_shortages" else each for each in _TABLE(jobs))


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Jobs, "table", _rarely)
