"""A cancelled order's units are free at once, also where a warehouse was asked to ship them.

In real life: cancel means release. The 3PL has picked the parcel already, and the unit is sold to somebody else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from syncd.orders.book import LineBook


def _all_of_it(line: LineBook, warehouse_id: int) -> int:
    return line.held.get(warehouse_id, 0)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(LineBook, "untold", _all_of_it)
