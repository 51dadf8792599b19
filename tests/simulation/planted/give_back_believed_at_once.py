"""A cancellation is learnt after the number was read, and its units are on sale elsewhere at once (C8).

In real life: cancelled means free. The number that was read held the give-back already, and behind it a sale that
no order has told of yet.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.marks._hold_give_backs")
