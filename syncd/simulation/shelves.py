"""What physically stands in the warehouses that people count: a count tells this, whatever the book has heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from syncd.simulation.world import World

Place = tuple[str, str]
"""(SKU, warehouse)"""


class Shelves:
    """Pieces by place. `hands`: who packs or counts holds it, so that nothing leaves while it is counted."""

    def __init__(self, world: World) -> None:
        self._pieces = {place: pieces for place, pieces in world.stock.items() if place[1] in world.by_hand}
        self._broken: dict[Place, int] = {}
        self._parts = {article.sku: article.parts for article in world.articles}
        self.by_hand = world.by_hand
        self.hands = asyncio.Lock()

    def arrive(self, pieces: Mapping[Place, int]) -> None:
        """Goods are put on the shelves."""
        for place, quantity in pieces.items():
            self._pieces[place] = self._pieces.get(place, 0) + quantity

    def leave(self, pieces: Mapping[Place, int]) -> None:
        """Goods are taken off, to be sent."""
        self.arrive({place: -quantity for place, quantity in pieces.items()})

    def count(self, place: Place) -> int:
        """What somebody finds who looks, broken pieces included."""
        return max(0, self._pieces.get(place, 0))

    def broken(self, place: Place) -> int:
        """What of it nobody may be sent."""
        return self._broken.get(place, 0)

    def break_pieces(self, place: Place, pieces: int) -> None:
        self._broken[place] = self.broken(place) + pieces

    def throw_away(self, place: Place, pieces: int) -> None:
        """Broken pieces leave their shelf."""
        self.break_pieces(place, -pieces)
        self.leave({place: pieces})

    def hold(self, pieces: Mapping[Place, int]) -> bool:
        """Whether all of it is there to be sent, whatever the book says."""
        return all(quantity <= self.count(place) - self.broken(place) for place, quantity in pieces.items())

    def pieces_of(self, lines: Iterable[tuple[str, int]]) -> dict[str, int]:
        """What so many units of each article are made of, by SKU."""
        pieces: dict[str, int] = {}
        for article, quantity in lines:
            for sku, units in self._parts[article]:
                pieces[sku] = pieces.get(sku, 0) + units * quantity
        return {sku: quantity for sku, quantity in pieces.items() if quantity}
