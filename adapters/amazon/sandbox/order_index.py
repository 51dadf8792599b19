"""What searchOrders knows: every order as it stood a few minutes ago."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from adapters.amazon.sandbox.errors import Json

Entry = tuple[datetime, str]  # (when, order id)


@dataclass(frozen=True, slots=True)
class Version:
    """An order as it stood after one of its changes."""

    order_id: str
    created_at: datetime
    updated_at: datetime
    view: Json


@dataclass(order=True, slots=True)
class _Coming:
    visible_at: datetime
    number: int
    version: Version = field(compare=False)


class OrderIndex:
    """Versions in the order they become visible. A later version of an order never becomes visible before an earlier.

    Until then a search finds the order as it was, under its former lastUpdatedTime, or not at all.
    """

    def __init__(self) -> None:
        self._shown: dict[str, Version] = {}
        self._by_update: list[Entry] = []
        self._by_age: list[Entry] = []
        self._coming: list[_Coming] = []
        self._last_visible_at: dict[str, datetime] = {}
        self._noted = 0

    def note(self, version: Version, visible_at: datetime) -> None:
        """Keep a version until searches may show it."""
        visible_at = max(visible_at, self._last_visible_at.get(version.order_id, visible_at))
        self._last_visible_at[version.order_id] = visible_at
        self._noted += 1
        heapq.heappush(self._coming, _Coming(visible_at, self._noted, version))

    def catch_up(self, now: datetime) -> None:
        """Show what has become visible by now."""
        while self._coming and self._coming[0].visible_at <= now:
            self._show(heapq.heappop(self._coming).version)

    def by_update(self, since: datetime, until: datetime, after: Entry | None) -> Iterator[Version]:
        """Visible orders last updated in [since, until], from `after` on."""
        return self._between(self._by_update, since, until, after)

    def by_age(self, since: datetime, until: datetime, after: Entry | None) -> Iterator[Version]:
        """Visible orders created in [since, until], from `after` on."""
        return self._between(self._by_age, since, until, after)

    def _between(
        self, entries: list[Entry], since: datetime, until: datetime, after: Entry | None
    ) -> Iterator[Version]:
        start = bisect.bisect_left(entries, (since, ""))
        if after is not None:
            start = max(start, bisect.bisect_right(entries, after))
        for place in range(start, len(entries)):
            at, order_id = entries[place]
            if at > until:
                return
            yield self._shown[order_id]

    def _show(self, version: Version) -> None:
        former = self._shown.get(version.order_id)
        if former is None:
            bisect.insort(self._by_age, (version.created_at, version.order_id))
        else:
            del self._by_update[bisect.bisect_left(self._by_update, (former.updated_at, former.order_id))]
        bisect.insort(self._by_update, (version.updated_at, version.order_id))
        self._shown[version.order_id] = version
