"""Pieces of plain SKUs, as nobody in the run counts them: what came in, what was sold, what has left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from syncd.simulation.checker.book import Book, OrderKey
from syncd.simulation.checker.truth import SoldOrder, Truth
from syncd.simulation.scene import Scene

Parts = Mapping[str, tuple[tuple[str, int], ...]]
"""What a unit of each article is made of: (SKU, pieces)."""


class Pieces:
    """By SKU, of everything that is not at FBA.

    `came_in`: by (SKU, warehouse), the opening stock included, less what broke; `broken` is what of that still
    stands there. `left_own`: sent from warehouses without an API.
    `wanted`: sold and still to be sent. `there`: what must stand on all shelves. `one_pool`: every account
    may sell from all of them.
    """

    def __init__(self, scene: Scene, truth: Truth, book: Book) -> None:
        self.parts: Parts = {article.sku: article.parts for article in scene.world.articles}
        fba = {each.key for each in scene.world.warehouses("fba")}
        self.came_in: Counter[tuple[str, str]] = Counter(
            {key: pieces for key, pieces in scene.world.stock.items() if key[1] not in fba}
        )
        for arrival in scene.happenings.arrivals:
            if arrival.warehouse not in fba:
                self.came_in[(arrival.sku, arrival.warehouse)] += arrival.pieces
        self.broken: Counter[tuple[str, str]] = Counter()
        for damage in scene.happenings.damages:
            self.broken[(damage.sku, damage.warehouse)] += 0 if damage.gone else damage.pieces
        self.left_own: Counter[str] = Counter()
        self.wanted: Counter[str] = Counter()
        outside = _shipped_outside(truth, book)
        for key, order in truth.orders.items():
            self._add(order, outside.get(key, {}))
        self.own: frozenset[str] = frozenset(
            each.key for each in scene.world.cast.warehouses if each.vendor is None and each.kind != "fba"
        )
        self.one_pool = len({frozenset(each.warehouses) for each in scene.world.channels}) == 1
        self.there = self._shelved(truth)

    def free(self, article: str) -> int:
        """Units of an article that nobody has bought."""
        return min((self.there[sku] - self.wanted[sku]) // pieces for sku, pieces in self.parts[article])

    def _shelved(self, truth: Truth) -> Counter[str]:
        there = Counter({sku: -pieces for sku, pieces in self.left_own.items()})
        for (sku, warehouse), pieces in self.came_in.items():
            there[sku] += pieces if warehouse in self.own else 0
        for (_, sku), pieces in truth.shelves.items():
            there[sku] += pieces
        return there

    def of(self, article: str, units: int) -> Counter[str]:
        """The pieces of so many units of an article."""
        return Counter({sku: units * pieces for sku, pieces in self.parts[article]})

    def _add(self, order: SoldOrder, outside: Mapping[str, int]) -> None:
        fulfilled, owed, sold = Counter[str](), Counter[str](), Counter[str]()
        for line in order.lines:
            if line.by_channel or line.sku is None:
                continue
            fulfilled.update(self.of(line.sku, line.fulfilled))
            sold.update(self.of(line.sku, max(line.current, line.fulfilled)))
            # Line by line: what one line sent and took back makes up for nothing that another one still owes.
            owed.update(self.of(line.sku, 0 if order.cancelled else max(0, line.current - line.fulfilled)))
        for sku in sorted({*fulfilled, *owed}):
            left, wanted = share(sold[sku], fulfilled[sku], owed[sku], outside.get(sku, 0))
            self.left_own[sku] += left
            self.wanted[sku] += wanted


def share(sold: int, fulfilled: int, owed: int, sent_outside: int) -> tuple[int, int]:
    """Of an order's pieces of a SKU: how many have left own warehouses, and how many are still to be sent.

    What a 3PL has sent may be told as fulfilled too: as much of it as the order has no other pieces for.
    """
    told = min(sent_outside, max(0, fulfilled + sent_outside - sold))
    return max(0, fulfilled - told), max(0, owed - (sent_outside - told))


def _shipped_outside(truth: Truth, book: Book) -> Mapping[OrderKey, Counter[str]]:
    """Pieces that a 3PL has sent, by order and SKU."""
    shipped: dict[OrderKey, Counter[str]] = defaultdict(Counter)
    for shipment in truth.shipments:
        if shipment.reference in book.requests:
            shipped[book.requests[shipment.reference].order].update(shipment.shipped)
    return shipped
