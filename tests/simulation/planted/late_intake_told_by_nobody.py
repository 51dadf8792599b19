"""News that waits and waits is told by nobody: the log says why, after all.

In real life: the queue's length is on a dashboard that nobody has opened since it was built.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from unittest import mock

from syncd.alerts.lateness import Lateness
from syncd.alerts.store import Alert


def _tell_nobody(*_: object) -> Iterable[Alert]:
    return ()


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Lateness, "_late_intake", _tell_nobody)
