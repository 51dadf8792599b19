"""A job is said to fail every time as soon as it has failed twice.

In real life: a threshold in minutes that was compared with seconds. Each hiccup of a database is a message at night,
and before anybody is awake its all-clear.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def planted() -> AbstractContextManager[object]:
    return mock.patch.multiple("syncd.alerts.lateness", JOB_FAILING_S=15.0, _ROUNDS_FAILED=2)
