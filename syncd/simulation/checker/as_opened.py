"""How many units each hold began with: the book keeps what is left of them, and what came back on sale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_BEFORE: Final = timedelta(seconds=30)
"""An order placed so long before a hold's own time ends it too: a read may be that much older than it says."""


@dataclass(frozen=True, slots=True)
class Line:
    """Units that an order took of a listing: when they were bought, and when the book learnt of them."""

    listing_id: int
    placed_at: datetime
    units: int
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A hold as the book has it."""

    hold_id: int
    listing_id: int
    from_at: datetime
    to_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    left: int
    given_back: int

    def ended_by(self, line: Line) -> bool:
        """Whether the order may have ended units of it: placed in its time, learnt of while it was open."""
        in_time = self.from_at - _BEFORE <= line.placed_at <= self.to_at
        return in_time and self.opened_at <= line.known_at and not self._is_over(line.known_at)

    def ends_with(self, line: Line) -> bool:
        return self.closed_at is not None and self.closed_at <= line.known_at

    def _is_over(self, at: datetime) -> bool:
        return self.closed_at is not None and self.closed_at < at


def units_as_opened(holds: Iterable[Row], lines: Iterable[Line]) -> Mapping[int, int]:
    """By hold, at most so many units; exact but where orders of several units, or several orders at once, ended it.

    Every order ends its units once, those of the oldest hold first. An order that a hold outlives took all its units
    from that hold; one that is its end took one at least, and the others from the next.
    """
    by_listing: dict[int, list[Row]] = defaultdict(list)
    for each in sorted(holds, key=lambda one: (one.from_at, one.hold_id)):
        by_listing[each.listing_id].append(each)
    units = {each.hold_id: each.left + each.given_back for rows in by_listing.values() for each in rows}
    for line in sorted(lines, key=lambda one: one.known_at):
        left = line.units
        for each in by_listing[line.listing_id]:
            if left > 0 and each.ended_by(line):
                units[each.hold_id] += left
                left = left - 1 if each.ends_with(line) else 0
    return {hold_id: max(1, each) for hold_id, each in units.items()}
