"""How often each listing was revised today."""

from __future__ import annotations

from collections import Counter
from datetime import date

from adapters.ebay.sandbox.day import Calendar


class Revisions:
    """A listing's variations share its budget, and a revision that changes nothing counts too.

    Which day is meant and whether no-ops count is not published: the stricter reading is ours.
    """

    def __init__(self, calendar: Calendar, a_day: int) -> None:
        self._calendar = calendar
        self._a_day = a_day
        self._day: date | None = None
        self._made: Counter[str] = Counter()

    def left(self, listing_id: str) -> int:
        today = self._calendar.today()
        if today != self._day:
            self._day = today
            self._made.clear()
        return self._a_day - self._made[listing_id]

    def count(self, listing_id: str) -> None:
        self._made[listing_id] += 1
