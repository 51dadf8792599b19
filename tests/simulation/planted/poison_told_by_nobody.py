"""What cannot be taken in is set aside, and nobody is told: the row says why, after all.

In real life: a dead letter queue without an alarm. Someone finds it in spring, with the orders of autumn in it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def _tell_nobody(*_: object) -> None:
    """Somebody will look at the table."""


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.orders.take_in._tell_parked", _tell_nobody)
