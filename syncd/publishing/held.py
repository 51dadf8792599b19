"""Which order explains which hold. Pure.

A hold is a shortfall: units missing since a read, that no order explained. An order placed in its time ends it. So do
units that come back on sale, and which purchase those were of nobody says: when an order explains a hold that a
give-back has ended, the give-back was of another hold, and that one ends instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncd.publishing.cells import Sale


@dataclass(frozen=True, slots=True)
class HeldUnits:
    """A hold of a listing: `quantity` still held, `given_back` ended because as many came back on sale."""

    hold_id: int
    listing_id: int
    from_at: datetime
    to_at: datetime
    quantity: int
    given_back: int

    def explained_by(self, sale: Sale) -> bool:
        return self.listing_id == sale.listing_id and self.from_at <= sale.from_at <= self.to_at


def eat(holds: Sequence[HeldUnits], sales: Sequence[Sale]) -> list[HeldUnits]:
    """The holds, in the same order, after these orders have ended what they explain. Each order ends its units once."""
    left = list(holds)
    for sale in sales:
        units = sale.d_max
        for place, each in enumerate(left):
            eaten = min(units, each.quantity) if units > 0 and each.explained_by(sale) else 0
            left[place] = replace(each, quantity=each.quantity - eaten)
            units -= eaten
        if units > 0:
            _swap(left, sale, units)
    return left


def _swap(left: list[HeldUnits], sale: Sale, units: int) -> None:
    for place, each in enumerate(left):
        if units <= 0:
            return
        if not each.given_back or not each.explained_by(sale):
            continue
        for other_place, other in enumerate(left):
            moved = min(units, left[place].given_back, other.quantity) if other.listing_id == sale.listing_id else 0
            if moved > 0:
                left[other_place] = replace(other, quantity=other.quantity - moved)
                left[place] = replace(left[place], given_back=left[place].given_back - moved)
                units -= moved
