"""A number is raised from an anchor that no complete poll has certified.

In real life: "we have just read it, so we know it". A sale that no list of orders shows yet is in what was read, and
the raise gives its unit back.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from unittest import mock

from syncd.publishing.cells import Cell


def _always(cell: Cell, horizon_at: datetime | None, index_lag: timedelta) -> bool:
    return True


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.store.claim.is_certified", _always)
