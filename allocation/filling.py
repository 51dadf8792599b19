"""Fill a demand from a given set of sites at the least toll.

A toll is what a policy wants little of (money, metres), as one int; parts of lower importance are packed below by
scaling the higher ones with more than the lower can sum to, so that comparing tolls is comparing ints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocation.contention import Tangle, groups
from allocation.problem import Portion, Problem


@dataclass(frozen=True, slots=True)
class Filling:
    """The best a set of sites can do: units short, the toll of the rest, and what comes from where."""

    short: int
    toll: int
    used: tuple[int, ...]
    portions: list[Portion]


class Filler:
    """Fills one problem under the tolls of one policy: `parcel` for each site used, `unit` for each listing unit.

    With the set of sites fixed, wants that share no SKU are independent, and each is filled at the least toll by taking
    from the lowest unit toll first (ties by rank and id): exact. Wants that share SKUs: see `allocation.contention`.
    """

    def __init__(self, problem: Problem, parcel: Sequence[int], unit: Sequence[int]) -> None:
        self.problem = problem
        self.parcel = parcel
        self.unit = unit
        self.order = sorted(problem.useful, key=lambda site: (unit[site], site))
        self._alone = list(range(len(problem.wants)))
        self._tangles: list[Tangle] = []
        if problem.entangled:
            parted = groups(problem)
            self._alone = [members[0] for members in parted if len(members) == 1]
            self._tangles = [Tangle(problem, members, unit) for members in parted if len(members) > 1]

    def fill(self, support: Sequence[int], ceiling: int | None = None) -> Filling | None:
        """Fill from `support`, a part of `order` in its order; None once more than `ceiling` units are short."""
        wants, unit, parcel = self.problem.wants, self.unit, self.parcel
        short = 0
        portions: list[Portion] = []
        for index in self._alone:
            want = wants[index]
            left = want.quantity
            for site in support:
                units = min(left, want.makeable[site])
                if units:
                    portions.append((index, site, units))
                    left -= units
                    if not left:
                        break
            short += left
            if ceiling is not None and short > ceiling:
                return None
        for tangle in self._tangles:
            missing, served = tangle.serve(support)
            portions += served
            short += missing
            if ceiling is not None and short > ceiling:
                return None
        used = tuple(sorted({site for _, site, _ in portions}))
        toll = sum([unit[site] * units for _, site, units in portions]) + sum([parcel[site] for site in used])
        return Filling(short, toll, used, portions)

    def fill_from_all(self) -> Filling:
        """Fill from every site: no set of sites leaves less short."""
        filling = self.fill(self.order)
        assert filling is not None  # without a ceiling there is always an answer
        return filling
