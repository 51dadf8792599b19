"""A shortfall is not held back: units that are missing and that no order explains stay on sale elsewhere.

In real life: "the order will come". Until it does, the other channels and the next raise count on units that
somebody has bought already.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.store.reads._hold_back")
