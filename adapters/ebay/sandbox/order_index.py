"""The search index of orders: sorted, and a little behind the orders themselves."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from datetime import datetime

Entry = tuple[datetime, int]  # an instant of an order, and the order's serial number


class OrderIndex:
    """Finds orders by creation or by last change without walking through all of them.

    A change enters at its `visible_at`. Until then a search finds the order where it stood before, or not at all if it
    is new; what is found is always shown as it is now.
    """

    def __init__(self) -> None:
        self._created: list[Entry] = []
        self._modified: list[Entry] = []
        self._known: dict[int, datetime] = {}
        self._waiting: list[tuple[datetime, int, int, datetime, datetime]] = []
        self._notes = 0

    def note(self, serial: int, created_at: datetime, modified_at: datetime, visible_at: datetime) -> None:
        self._notes += 1
        heapq.heappush(self._waiting, (visible_at, self._notes, serial, created_at, modified_at))

    def catch_up(self, now: datetime) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, _, serial, created_at, modified_at = heapq.heappop(self._waiting)
            self._enter(serial, created_at, modified_at)

    def knows(self, serial: int) -> bool:
        return serial in self._known

    def created(self, start: datetime, end: datetime) -> list[int]:
        """Serials of orders made in the window, both ends included, oldest first."""
        return _within(self._created, start, end)

    def modified(self, start: datetime, end: datetime) -> list[int]:
        """Serials of orders last changed in the window, both ends included, longest unchanged first."""
        return _within(self._modified, start, end)

    def _enter(self, serial: int, created_at: datetime, modified_at: datetime) -> None:
        known = self._known.get(serial)
        if known is None:
            insort(self._created, (created_at, serial))
        elif known >= modified_at:
            return  # a later change was indexed first
        else:
            del self._modified[bisect_left(self._modified, (known, serial))]
        self._known[serial] = modified_at
        insort(self._modified, (modified_at, serial))


def _within(entries: list[Entry], start: datetime, end: datetime) -> list[int]:
    low = bisect_left(entries, start, key=lambda entry: entry[0])
    high = bisect_right(entries, end, key=lambda entry: entry[0])
    return [serial for _, serial in entries[low:high]]
