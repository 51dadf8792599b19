"""Polls that bring pages make progress, also where each of them fails at its end and all is read again.

In real life: a heartbeat in the middle of the work. The watermark has stood still since the morning, no number may be
raised any more, and the watch is content.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def _never(*_: object) -> bool:
    return False


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.alerts.lateness._pages_are_in_vain", _never)
