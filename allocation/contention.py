"""Wants that share components: where one unit taken is one unit less of another want.

Formula, for a group of wants t and a fixed set of sites i with unit tolls c_i: serve x_ti >= 0, integer, with
sum_i x_ti <= q_t and sum_t units_tk * x_ti <= stock_ik for every SKU k; first maximise the sum of x, then minimise the
sum of c_i * x_ti, then take most from the first sites. This is a multiple knapsack (Martello and Toth, *Knapsack
Problems*, 1990, chapter 6), NP-hard. So:

- exact, by dynamic programming over the sites with the vector of units served as the state, while
  (pairs of states) x (sets of sites that may be asked) <= EFFORT: small orders, which these nearly always are;
- beyond, the better of two greedy fills: site by site in order of toll, the want with the fewest pieces a unit first
  (which is best when stock is scarce), or with the most (which is best when it would suffice, as packs find no room
  among remainders). It never plans more than there is, but may leave a unit short, or place it dearer, needlessly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from operator import add, gt

from allocation.problem import Portion, Problem

EFFORT = 200_000

Served = tuple[int, ...]
Trail = tuple["Trail", int, Served] | None
"""What was taken where: all but the last, the last site, the units of each want from it."""
Table = dict[Served, tuple[int, tuple[int, ...], Trail]]
"""Units served of each want -> the least toll for them, minus the units from each site (of equals least), the trail."""


class Tangle:
    """A group of wants connected by shared SKUs, with the tolls of one policy."""

    def __init__(self, problem: Problem, members: Sequence[int], unit: Sequence[int]) -> None:
        self._problem = problem
        self._members = members
        self._unit = unit
        self._wants = [problem.wants[index] for index in members]
        self._quantity = sum([want.quantity for want in self._wants])
        self._limits = [min(want.quantity, sum(want.makeable)) for want in self._wants]
        self._skus = sorted({sku for want in self._wants for sku, _ in want.components})
        pairs = prod([(limit + 1) ** 2 for limit in self._limits])
        self._exact = pairs * min(1 << len(problem.useful), 4096) <= EFFORT
        self._options: dict[int, list[tuple[Served, int]]] = {}
        self._tables: dict[tuple[int, ...], Table] = {(): {(0,) * len(members): (0, (), None)}}

    def serve(self, support: Sequence[int]) -> tuple[int, list[Portion]]:
        """Fill the group from the sites of `support`, which are in order of toll; units short and portions."""
        portions = self._best(tuple(support)) if self._exact else self._greedy(support)
        return self._quantity - sum([units for _, _, units in portions]), portions

    def _best(self, support: tuple[int, ...]) -> list[Portion]:
        table = self._table(support)
        served = min(table, key=lambda state: (-sum(state), *table[state][:2], [-units for units in state]))
        trail = table[served][2]
        portions: list[Portion] = []
        while trail is not None:
            trail, site, taken = trail
            portions += [(member, site, units) for member, units in zip(self._members, taken, strict=True) if units]
        portions.reverse()
        return portions

    def _table(self, support: tuple[int, ...]) -> Table:
        """Least toll for every vector of units served; supports that begin alike share their tables."""
        known = len(support)
        while support[:known] not in self._tables:
            known -= 1
        for length in range(known, len(support)):
            extended = self._extended(self._tables[support[:length]], support[length])
            self._tables[support[: length + 1]] = extended
        return self._tables[support]

    def _extended(self, before: Table, site: int) -> Table:
        options, unit, limits = self._options_of(site), self._unit[site], self._limits
        table: Table = {}
        for served, (toll, counts, trail) in before.items():
            for taken, units in options:
                after = tuple(map(add, served, taken))
                if any(map(gt, after, limits)):
                    continue
                total = toll + unit * units
                known = table.get(after)
                if known is None or total < known[0] or (total == known[0] and (*counts, -units) < known[1]):
                    table[after] = (total, (*counts, -units), (trail, site, taken))
        return table

    def _options_of(self, site: int) -> list[tuple[Served, int]]:
        """What a site can make at once, earlier wants first, with the number of units in it."""
        if site not in self._options:
            stock = self._problem.stock
            most = [min(limit, want.makeable[site]) for limit, want in zip(self._limits, self._wants, strict=True)]
            options = []
            for taken in product(*[range(units, -1, -1) for units in most]):
                pieces = dict.fromkeys(self._skus, 0)
                for want, units in zip(self._wants, taken, strict=True):
                    for sku, each in want.components:
                        pieces[sku] += each * units
                if all(pieces[sku] <= stock[sku][site] for sku in self._skus):
                    options.append((taken, sum(taken)))
            self._options[site] = options
        return self._options[site]

    def _greedy(self, support: Sequence[int]) -> list[Portion]:
        pieces = [sum([each for _, each in want.components]) for want in self._wants]
        smallest = sorted(zip(pieces, self._members, strict=True))
        largest = sorted(smallest, key=lambda each: (-each[0], each[1]))
        fills = [self._fill_in_order(support, [member for _, member in order]) for order in (smallest, largest)]
        return min(fills, key=lambda portions: self._merit(portions, support))

    def _merit(self, portions: list[Portion], support: Sequence[int]) -> tuple[int, int, list[int]]:
        counts = dict.fromkeys(support, 0)
        for _, site, units in portions:
            counts[site] -= units
        return (
            sum(counts.values()),
            -sum([self._unit[site] * count for site, count in counts.items()]),
            [*counts.values()],
        )

    def _fill_in_order(self, support: Sequence[int], members: Sequence[int]) -> list[Portion]:
        wants = self._problem.wants
        left = {index: wants[index].quantity for index in members}
        portions = []
        for site in support:
            free = {sku: self._problem.stock[sku][site] for sku in self._skus}
            for index in members:
                units = min(left[index], *[free[sku] // each for sku, each in wants[index].components])
                if units:
                    portions.append((index, site, units))
                    left[index] -= units
                    for sku, each in wants[index].components:
                        free[sku] -= each * units
        return portions


def groups(problem: Problem) -> list[list[int]]:
    """Indices of wants, connected by shared SKUs; a want that shares nothing is a group of its own."""
    found: list[tuple[set[int], list[int]]] = []
    for index, want in enumerate(problem.wants):
        skus: set[int] = {sku for sku, _ in want.components}
        members = [index]
        apart = []
        for others in found:
            if others[0] & skus:
                skus |= others[0]
                members += others[1]
            else:
                apart.append(others)
        found = [*apart, (skus, sorted(members))]
    return [members for _, members in found]
