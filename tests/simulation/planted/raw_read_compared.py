"""Compare-and-set compares with the number just read, not with the one that can be explained.

In real life: read, compute, write "if it is still what I read". The counter fell for an order that has not come yet,
the comparison holds, and the sold unit is on sale again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock

from syncd.publishing.cells import Cell, Reading, read_back


def _believe(
    cell: Cell, shown: int, recent_taken: int, open_holds: int, sent_at: datetime, now: datetime, staleness: timedelta
) -> Reading:
    reading = read_back(cell, shown, recent_taken, open_holds, sent_at, now, staleness)
    if not reading.moved:
        return reading
    return Reading(replace(reading.cell, certified=True, sold_lo=0), moved=True)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.store.reads.read_back", _believe)
