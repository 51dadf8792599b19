"""How units move between the quantities of a level."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.sandbox_kit.shown_log import Why
from adapters.shopify.sandbox.records import Item, Level, Line
from adapters.shopify.sandbox.shop import Shop


class Stockroom:
    """Moves units during one action, and remembers which levels moved.

    on_hand is available + committed, so whatever leaves both leaves the building. Items that are not tracked have
    nothing to move.
    """

    def __init__(self, shop: Shop, why: Why, ref: str = "") -> None:
        self._shop = shop
        self._why = why
        self._ref = ref  # the order or the write that moves them
        self.moved: dict[int, Level] = {}

    def commit(self, line: Line, quantity: int) -> None:
        """Take sold units out of available, location by location; what nobody has goes below zero at the first."""
        if line.item is None or not line.item.tracked:
            return
        levels = list(self._shop.selling_levels(line.item))
        rest = quantity
        for level in levels:
            taken = min(rest, max(0, level.now.available))
            self._commit_at(line, level, taken)
            rest -= taken
        if levels:
            self._commit_at(line, levels[0], rest)

    def release(self, line: Line, quantity: int, *, restock: bool) -> int | None:
        """Take unshipped units off the order, back on sale or out of the books. Returns where, or None."""
        where: int | None = None
        for level, units in self._committed(line, quantity):
            level_now = level.now
            self._set(level, level_now.available + (units if restock else 0), level_now.committed - units)
            where = where or level.location_id
        return where

    def ship(self, line: Line, quantity: int) -> int | None:
        """Let committed units leave. Returns from where, or None."""
        where: int | None = None
        for level, units in self._committed(line, quantity):
            self._set(level, level.now.available, level.now.committed - units)
            line.shipped[level.location_id] = line.shipped.get(level.location_id, 0) + units
            where = where or level.location_id
        return where

    def put_back(self, line: Line, quantity: int) -> int | None:
        """Shelve returned units where they were shipped from. Returns where, or None."""
        if line.item is None or not line.item.tracked or not line.shipped:
            return None
        location_id = next(iter(line.shipped))
        level = line.item.levels[location_id]
        self._set(level, level.now.available + quantity, level.now.committed)
        return location_id

    def set_available(self, level: Level, available: int) -> int:
        """Set what is for sale; on_hand moves by the same delta, which is returned."""
        delta = available - level.now.available
        if delta:
            self._set(level, available, level.now.committed)
        return delta

    def mark(self, level: Level) -> None:
        """Count a level as moved although its numbers did not change."""
        self.moved[level.id] = level

    def _commit_at(self, line: Line, level: Level, units: int) -> None:
        if units:
            self._set(level, level.now.available - units, level.now.committed + units)
            line.committed[level.location_id] = line.committed.get(level.location_id, 0) + units

    def _committed(self, line: Line, quantity: int) -> Iterator[tuple[Level, int]]:
        """Up to that many of the line's committed units, taken off the line, by level."""
        for location_id in list(line.committed):
            units = min(quantity, line.committed[location_id])
            if units:
                line.committed[location_id] -= units
                quantity -= units
                yield _level_of(line.item, location_id), units

    def _set(self, level: Level, available: int, committed: int) -> None:
        self._shop.show(level, available, committed, self._why, self._ref)
        self.mark(level)


def _level_of(item: Item | None, location_id: int) -> Level:
    assert item is not None, "only tracked items commit units"
    return item.levels[location_id]
