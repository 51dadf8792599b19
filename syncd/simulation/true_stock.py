"""What is truly free to sell, as nobody in the run knows it: every piece there ever was, less every piece sold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise

from syncd.simulation.happenings import Arrival
from syncd.simulation.world import World

Steps = list[tuple[datetime, int]]
"""A number that changes: from each instant on it is that much."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Some warehouses, and every account that can be served from nowhere else."""

    warehouses: tuple[str, ...]
    accounts: tuple[str, ...]


class TrueStock:
    """Counts pieces by SKU, from the opening stock on. Goods at FBA are in nobody's pool and count for nobody.

    A piece is free for an account when all that is sold can be sent, and one more piece from the account's pool. Where
    accounts have different pools this takes for granted that every order was sent from the best place.
    """

    def __init__(self, world: World, opened_at: datetime, arrivals: Sequence[Arrival] = ()) -> None:
        """`arrivals` may grow while the run lasts."""
        self._parts = {article.sku: article.parts for article in world.articles}
        self._claims = claims_of({each.key: each.warehouses for each in world.channels})
        self._there: dict[str, dict[str, int]] = {article.sku: {} for article in world.plain}
        self._sold: dict[str, dict[str, int]] = {article.sku: {} for article in world.plain}
        self._arrivals = arrivals
        self._arrived = 0
        self._history: dict[tuple[str, str], Steps] = {}
        for (sku, warehouse), pieces in world.stock.items():
            self._there[sku][warehouse] = pieces
        for sku in self._there:
            self._note(sku, opened_at)

    def history(self, account: str, sku: str) -> Steps:
        """What was free for an account, from the opening on."""
        self._take_in()
        return self._history[(account, sku)]

    def sell(self, account: str, lines: Iterable[tuple[str, int]], at: datetime) -> None:
        """A channel sells so many of each article; a negative number gives them back."""
        self._take_in()
        for sku, quantity in self._pieces(lines).items():
            self._sold[sku][account] = self._sold[sku].get(account, 0) + quantity
            self._note(sku, at)

    def covers(self, account: str, lines: Iterable[tuple[str, int]]) -> bool:
        """Whether everything in a basket is truly free for an account just now."""
        self._take_in()
        return all(self.free(account, sku) >= quantity for sku, quantity in self._pieces(lines).items())

    def free(self, account: str, sku: str) -> int:
        """Pieces of a plain SKU; below 0 when more is sold than there is."""
        there, sold = self._there[sku], self._sold[sku]
        return min(
            sum(there.get(each, 0) for each in claim.warehouses) - sum(sold.get(each, 0) for each in claim.accounts)
            for claim in self._claims[account]
        )

    def _pieces(self, lines: Iterable[tuple[str, int]]) -> dict[str, int]:
        pieces: dict[str, int] = {}
        for article, quantity in lines:
            for sku, units in self._parts[article]:
                pieces[sku] = pieces.get(sku, 0) + units * quantity
        return pieces

    def _take_in(self) -> None:
        """Count the goods that have arrived since the last look, each from its own instant on."""
        while self._arrived < len(self._arrivals):
            new = self._arrivals[self._arrived]
            self._arrived += 1
            self._there[new.sku][new.warehouse] = self._there[new.sku].get(new.warehouse, 0) + new.pieces
            self._note(new.sku, new.at)

    def _note(self, sku: str, at: datetime) -> None:
        for account in self._claims:
            self._history.setdefault((account, sku), []).append((at, self.free(account, sku)))


def claims_of(pools: Mapping[str, tuple[str, ...]]) -> dict[str, list[Claim]]:
    """By account, every union of pools that its own lies in: all that must come from there has to fit into each."""
    distinct = sorted({frozenset(pool) for pool in pools.values()}, key=sorted)
    unions = {
        frozenset[str]().union(*chosen)
        for count in range(1, len(distinct) + 1)
        for chosen in combinations(distinct, count)
    }
    claims = [
        Claim(tuple(sorted(union)), tuple(key for key, pool in pools.items() if union.issuperset(pool)))
        for union in sorted(unions, key=sorted)
    ]
    return {key: [claim for claim in claims if key in claim.accounts] for key in pools}


def units_hidden(free: Steps, shown: Steps, from_at: datetime, to_at: datetime) -> float:
    """Unit-hours that were free and not shown, between two instants. Nothing is known before a number's first step."""
    instants = sorted({from_at, to_at, *(at for at, _ in free), *(at for at, _ in shown)})
    instants = [at for at in instants if from_at <= at <= to_at]
    hidden = 0.0
    free_at, shown_at = _Reader(free), _Reader(shown)
    for at, until in pairwise(instants):
        units = max(0, free_at.read(at)) - max(0, shown_at.read(at))
        hidden += max(0, units) * (until - at).total_seconds() / 3600.0
    return hidden


class _Reader:
    """Reads a number at later and later instants."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._next = 0
        self._now = 0

    def read(self, at: datetime) -> int:
        while self._next < len(self._steps) and self._steps[self._next][0] <= at:
            self._now = self._steps[self._next][1]
            self._next += 1
        return self._now
