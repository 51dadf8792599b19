"""What must be true of a seller's goods, in some thirty lines: no warehouse is chosen here, and nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Place = tuple[str, str]
"""(SKU, warehouse)"""


@dataclass
class Line:
    """An order line as its channel has it, made of what its listing was made of when it was first told."""

    listing: str
    parts: Mapping[str, int]
    quantity: int
    told_gone: int = 0  # units that the channel says have left
    gone: int = 0  # units that have

    @property
    def wanted(self) -> int:
        return max(0, self.quantity - self.gone)


@dataclass
class Order:
    lines: dict[str, Line]
    placed_minute: int
    cancelled: bool = False


@dataclass
class Model:
    """Pieces that stand in each place, what came and went and when, and what orders want."""

    on_hand: Counter[Place] = field(default_factory=Counter)
    unavailable: Counter[Place] = field(default_factory=Counter)
    orders: dict[str, Order] = field(default_factory=dict)
    counted_at: dict[Place, datetime] = field(default_factory=dict)
    moves: list[tuple[datetime, Place, int, int]] = field(default_factory=list)

    def moved(self, at: datetime, place: Place, pieces: int, broken: int = 0) -> None:
        self.moves.append((at, place, pieces, broken))
        self.on_hand[place] += pieces
        self.unavailable[place] += broken

    def counted(self, as_of: datetime, place: Place, on_hand: int, unavailable: int) -> None:
        """What stood there then, and what has moved since, stands there now; an older count says nothing new."""
        if as_of < self.counted_at.get(place, as_of):
            return
        since = [(pieces, broken) for at, where, pieces, broken in self.moves if where == place and at > as_of]
        self.counted_at[place] = as_of
        self.on_hand[place] = on_hand + sum(pieces for pieces, _ in since)
        self.unavailable[place] = max(0, unavailable + sum(broken for _, broken in since))

    def demand(self) -> Counter[str]:
        """Pieces of each SKU that orders still want."""
        lines = [line for order in self.orders.values() for line in order.lines.values()]
        return Counter({s: n for s, n in _pieces([(x.parts, x.wanted) for x in lines]).items() if n})


def _pieces(wanted: list[tuple[Mapping[str, int], int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for parts, units in wanted:
        for sku, each in parts.items():
            total[sku] += each * units
    return total
