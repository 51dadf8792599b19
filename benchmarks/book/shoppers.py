"""What is bought: the same orders for every contender of a round, from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final

START: Final = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOT_SKU: Final = 7
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """As the book stores an instant. Workers are to start fast: this module imports nothing large."""
    return (at - _EPOCH) // timedelta(microseconds=1)


class Demand(StrEnum):
    SPREAD = "spread"  # two or three lines of one or two pieces, over all SKUs
    HOT = "hot"  # one piece of one SKU, every order


@dataclass(frozen=True, slots=True)
class Bought:
    """One order: its number among the run's, who sent it, and (sku_id, quantity) by line in order of the SKUs."""

    key: str
    placed_at: datetime
    lines: tuple[tuple[int, int], ...]


def shoppers(demand: Demand, skus: int, seed: int, who: str) -> Iterator[Bought]:
    """Orders without end; `who` sets apart several that buy at once."""
    chance = Random(f"{seed}/{who}")
    number = 0
    while True:
        number += 1
        placed_at = START + timedelta(milliseconds=number)
        if demand is Demand.HOT:
            lines: tuple[tuple[int, int], ...] = ((HOT_SKU, 1),)
        else:
            picked = sorted(chance.sample(range(1, skus + 1), 2 + (number & 1)))
            lines = tuple((sku_id, chance.randint(1, 2)) for sku_id in picked)
        yield Bought(f"{who}-{number}", placed_at, lines)
