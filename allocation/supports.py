"""Which sites to use at all: the search that `cheapest` and `fewest_splits` share.

Every parcel has a price of its own, so the sites used (the support) must be chosen before the units are: a
fixed-charge transportation problem (Balinski, *Fixed-cost transportation problems*, Naval Research Logistics Quarterly
8, 1961). With the support fixed the rest is simple (`allocation.filling`), and sites are few. So, over the sites that
hold anything:

- to EXACT_SITES sites all supports are enumerated by size: exact, as far as the filling is. Sizes whose cheapest
  parcels alone outweigh the best found are left out;
- above, sizes 1 to 3, each while it has at most SUPPORTS_A_SIZE supports: exact when one of those is the answer;
- then greedy: add the site with the least price for each unit it brings (Chvatal, *A greedy heuristic for the
  set-covering problem*, 1979: within a factor ln n for parcels), then drop sites while that helps (Kuehn and Hamburger,
  *A heuristic program for locating warehouses*, 1963). Never more short than with all sites, maybe dearer than needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, combinations
from math import comb

from allocation.filling import Filler, Filling

EXACT_SITES = 8
LARGEST_BEYOND = 3
SUPPORTS_A_SIZE = 2_500

Weight = tuple[int, int, int, tuple[int, ...]]


@dataclass(slots=True)
class Search:
    """The best filling so far, and for every site the best filling seen that uses it, as (toll, parcels)."""

    filler: Filler
    fewest: bool
    """Parcels before tolls; else tolls before parcels."""
    floor: int
    """Units that stay short with all sites."""
    best: Filling | None = None
    rivals: dict[int, tuple[int, int]] = field(default_factory=dict)

    def weight(self, filling: Filling) -> Weight:
        """Compare fillings: shortage, the objective, then the sites by rank and id."""
        parcels = len(filling.used)
        if self.fewest:
            return filling.short, parcels, filling.toll, filling.used
        return filling.short, filling.toll, parcels, filling.used

    def offer(self, filling: Filling) -> None:
        """Remember a filling for what it is best at."""
        if self.best is None or self.weight(filling) < self.weight(self.best):
            self.best = filling
        seen = (filling.toll, len(filling.used))
        for site in filling.used:
            if site not in self.rivals or seen < self.rivals[site]:
                self.rivals[site] = seen

    def enumerate_size(self, size: int) -> None:
        """Try every support of `size` sites that leaves nothing short needlessly."""
        for support in combinations(self.filler.order, size):
            filling = self.filler.fill(support, self.floor)
            if filling is not None:
                self.offer(filling)


def search(filler: Filler, *, fewest: bool) -> tuple[Filling, dict[int, tuple[int, int]]]:
    """Find the best support; with it, for each site, the (toll, parcels) of the best filling seen that uses it."""
    everyone = filler.fill_from_all()
    found = Search(filler, fewest, everyone.short)
    sites = len(filler.order)
    planned = filler.problem.quantity - everyone.short
    parcels = list(accumulate(sorted([filler.parcel[site] for site in filler.order])))
    least = planned * min([filler.unit[site] for site in filler.order], default=0)
    exact = sites <= EXACT_SITES
    for size in range(1, sites + 1 if exact else LARGEST_BEYOND + 1):
        if found.best is not None and (fewest or parcels[size - 1] + least >= found.best.toll):
            break
        if exact or comb(sites, size) <= SUPPORTS_A_SIZE:
            found.enumerate_size(size)
    if not exact and (found.best is None or not fewest):
        _grow_and_drop(found)
    if found.best is None:
        found.offer(everyone)
    assert found.best is not None
    return found.best, found.rivals


def _grow_and_drop(found: Search) -> None:
    filler = found.filler
    grown: Filling | None = None
    chosen: list[int] = []
    while len(chosen) < len(filler.order) and (grown is None or grown.short > found.floor):
        short, toll = (filler.problem.quantity, 0) if grown is None else (grown.short, grown.toll)
        tries = []
        for site in filler.order:
            if site not in chosen:
                filling = _fill(filler, [*chosen, site])
                price = 1 if found.fewest else filling.toll - toll
                brought = short - filling.short
                tries.append((_a_unit(price, brought), filling.toll, site, filling))
        _, _, site, grown = min(tries, key=lambda each: each[:3])
        chosen.append(site)
    while grown is not None and grown.short <= found.floor:
        found.offer(grown)
        fewer = [_fill(filler, [site for site in grown.used if site != gone]) for gone in grown.used]
        better = min(fewer, key=found.weight, default=grown)
        grown = better if found.weight(better) < found.weight(grown) else None


def _fill(filler: Filler, sites: Iterable[int]) -> Filling:
    filling = filler.fill(sorted(sites, key=lambda site: (filler.unit[site], site)))
    assert filling is not None  # without a ceiling there is always an answer
    return filling


def _a_unit(price: int, units: int) -> tuple[int, int]:
    """Price a unit, comparable; a site that brings nothing comes last."""
    return (0, price * 1000 // units) if units > 0 else (1, price)
