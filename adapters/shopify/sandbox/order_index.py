"""The search index of orders: sorted, and a little behind the orders themselves."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import datetime

Entry = tuple[datetime, int]  # when the order was last updated, as the index knows it; and its id


class OrderIndex:
    """Finds orders by update or by age without walking through all of them.

    A change enters the index at its `visible_at`. Until then a search finds the order where it stood before, or not
    at all if it is new; what is found is always loaded as it is now, as the vendor does.
    """

    def __init__(self) -> None:
        self._by_update: list[Entry] = []
        self._by_age: list[int] = []  # ids rise with age
        self._known: dict[int, datetime] = {}
        self._waiting: list[tuple[datetime, int, Entry]] = []
        self._changes = 0

    def note(self, order_id: int, updated_at: datetime, visible_at: datetime) -> None:
        """Take in a change that searches are to see from `visible_at` on."""
        self._changes += 1
        heapq.heappush(self._waiting, (visible_at, self._changes, (updated_at, order_id)))

    def catch_up(self, now: datetime) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, _, (updated_at, order_id) = heapq.heappop(self._waiting)
            self._enter(order_id, updated_at)

    def by_update(self, after: Entry | None, since: datetime | None, *, reverse: bool = False) -> Iterator[Entry]:
        """Entries from the oldest update on, behind `after` and not before `since`; newest first if `reverse`."""
        entries = self._by_update
        low = 0 if since is None else bisect_left(entries, (since, 0))
        if reverse:
            high = len(entries) if after is None else bisect_left(entries, after)
            return (entries[at] for at in range(high - 1, low - 1, -1))
        start = low if after is None else max(low, bisect_right(entries, after))
        return (entries[at] for at in range(start, len(entries)))

    def by_age(self, after: int | None, *, reverse: bool = False) -> Iterator[Entry]:
        """Entries from the oldest order on, behind the order `after`; newest first if `reverse`."""
        ids = self._by_age
        if reverse:
            high = len(ids) if after is None else bisect_left(ids, after)
            return ((self._known[ids[at]], ids[at]) for at in range(high - 1, -1, -1))
        start = 0 if after is None else bisect_right(ids, after)
        return ((self._known[ids[at]], ids[at]) for at in range(start, len(ids)))

    def _enter(self, order_id: int, updated_at: datetime) -> None:
        known = self._known.get(order_id)
        if known is None:
            insort(self._by_age, order_id)
        elif known >= updated_at:
            return  # a later change was indexed first
        else:
            del self._by_update[bisect_left(self._by_update, (known, order_id))]
        self._known[order_id] = updated_at
        insort(self._by_update, (updated_at, order_id))
