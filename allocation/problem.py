"""A demand and its candidates in canonical order: what every policy starts from and ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from operator import attrgetter
from typing import NamedTuple

from allocation.demand import Candidate, Demand, DemandLine, SkuId
from allocation.plan import Considered, Plan, Reason, Share

Components = tuple[tuple[SkuId, int], ...]
Portion = tuple[int, int, int]
"""(index of a want, index of a site, listing units)"""
Why = Callable[[int], tuple[Reason, int | None]]
"""Why a site that could have served something serves nothing."""

_BY_KEY = attrgetter("line")
_BY_PREFERENCE = attrgetter("rank", "warehouse")


class Want(NamedTuple):
    """The lines that ask for the same components, as one quantity: only who comes first is to decide between them."""

    lines: list[DemandLine]
    quantity: int
    components: Components
    makeable: list[int]
    """Listing units each site could make if this want were alone."""


class Problem(NamedTuple):
    """Lines by key, sites (the candidates) by rank and id, so that the order of the input never shows in a plan."""

    lines: tuple[DemandLine, ...]
    quantity: int
    sites: list[Candidate]
    stock: dict[SkuId, list[int]]
    """Free pieces at each site, never negative."""
    needed: dict[SkuId, int]
    """Pieces asked for, summed over all lines."""
    wants: list[Want]
    useful: list[int]
    """Sites that can make at least one unit of something."""
    entangled: bool
    """Two wants share a SKU."""

    @property
    def covering(self) -> list[int]:
        """Sites that have all of it: the common case, and then nothing needs to be split."""
        able = self.useful
        for sku, pieces in self.needed.items():
            row = self.stock[sku]
            able = [site for site in able if row[site] >= pieces]
        return able

    def whole(self, site: int) -> list[Portion]:
        """Everything from one site."""
        return [(index, site, want.quantity) for index, want in enumerate(self.wants)]

    def conclude(self, policy: str, version: int, portions: Sequence[Portion], why: Why) -> Plan:
        """Turn portions, in the policy's order of preference, into shares of lines, and add the reasons."""
        useful = self.useful
        served = [0] * len(self.sites)
        shares, short = self._shares(portions, served)
        cost: int | None = 0
        unit_metres: int | None = 0
        considered = []
        stock = sorted(self.stock.items()) if len(self.stock) > 1 else list(self.stock.items())
        for index, site in enumerate(self.sites):
            warehouse, rank, _, known_km, per_parcel, per_unit = site
            free = tuple([(sku, row[index]) for sku, row in stock if row[index]])
            units = served[index]
            by: int | None = None
            if known_km is not None and not isfinite(known_km):
                known_km = None
            if units:
                reason = Reason.USED
                if per_parcel is None or per_unit is None:
                    cost = None
                elif cost is not None:
                    cost += per_parcel + per_unit * units
                away = metres(site)
                if away is None:
                    unit_metres = None
                elif unit_metres is not None:
                    unit_metres += away * units
            elif not free:
                reason = Reason.HOLDS_NONE
            elif index not in useful:
                reason = Reason.COMPLETES_NONE
            else:
                reason, by = why(index)
            considered.append(Considered(warehouse, rank, free, known_km, per_parcel, per_unit, units, reason, by))
        return Plan(
            policy,
            version,
            self.lines,
            shares,
            short,
            cost,
            None if unit_metres is None else unit_metres / 1000,
            tuple(considered),
        )

    def _shares(
        self, portions: Sequence[Portion], served: list[int]
    ) -> tuple[tuple[Share, ...], tuple[tuple[int, int], ...]]:
        """Hand each want's portions to its lines, earlier lines first; what is left over is short."""
        left = {line.line: line.quantity for line in self.lines}
        shares = []
        for index, site, units in portions:
            served[site] += units
            warehouse = self.sites[site].warehouse
            for line in self.wants[index].lines:
                take = left[line.line]
                if take > units:
                    take = units
                if take:
                    shares.append(Share(line.line, warehouse, take))
                    left[line.line] -= take
                    units -= take
        if len(shares) > 1:
            shares.sort(key=attrgetter("line", "warehouse"))
        return tuple(shares), tuple([(line, units) for line, units in left.items() if units])


def pose(demand: Demand, candidates: Sequence[Candidate]) -> Problem:
    """Put a demand and its candidates into canonical order; ValueError if a warehouse comes twice."""
    lines = tuple(sorted(demand.lines, key=_BY_KEY)) if len(demand.lines) > 1 else demand.lines
    sites = sorted(candidates, key=_BY_PREFERENCE)
    if len({site.warehouse for site in sites}) < len(sites):
        raise ValueError("a warehouse is a candidate twice: its stock would be counted twice")
    stock: dict[SkuId, list[int]] = {}
    needed: dict[SkuId, int] = {}
    asked: dict[Components, list[DemandLine]] = {}
    quantity = 0
    for line in lines:
        quantity += line.quantity
        components = line.components if len(line.components) == 1 else _summed(line.components)
        asked.setdefault(components, []).append(line)
        for sku, pieces in components:
            if sku not in stock:
                stock[sku] = [free if (free := site.available.get(sku, 0)) > 0 else 0 for site in sites]
                needed[sku] = 0
            needed[sku] += pieces * line.quantity
    wants = [
        Want(members, sum([line.quantity for line in members]), components, _makeable(components, stock))
        for components, members in asked.items()
    ]
    return Problem(
        lines,
        quantity,
        sites,
        stock,
        needed,
        wants,
        _useful(wants),
        sum([len(want.components) for want in wants]) > len(stock),
    )


def _useful(wants: Sequence[Want]) -> list[int]:
    if len(wants) == 1:
        return [index for index, units in enumerate(wants[0].makeable) if units]
    return [index for index, row in enumerate(zip(*[want.makeable for want in wants], strict=True)) if any(row)]


def metres(site: Candidate) -> int | None:
    """Whole metres: sums of ints compare exactly, whatever their order. None is unknown."""
    if site.distance_km is None or not isfinite(site.distance_km):
        return None
    return max(0, round(site.distance_km * 1000))


def by_rank(problem: Problem, site: int, chosen: Sequence[int]) -> Reason:
    """Why `site` lost to `chosen` when nothing but rank and id was left to compare."""
    sites = problem.sites
    best = sites[chosen[0]].rank if len(chosen) == 1 else min([sites[each].rank for each in chosen])
    return Reason.LOWER_RANK if sites[site].rank > best else Reason.LATER_ID


def _summed(components: Components) -> Components:
    pieces: dict[SkuId, int] = {}
    for sku, units in components:
        pieces[sku] = pieces.get(sku, 0) + units
    return tuple(sorted(pieces.items()))


def _makeable(components: Components, stock: dict[SkuId, list[int]]) -> list[int]:
    if len(components) == 1:
        sku, pieces = components[0]
        return stock[sku] if pieces == 1 else [free // pieces for free in stock[sku]]
    columns = [[free // pieces for free in stock[sku]] for sku, pieces in components]
    return [min(site) for site in zip(*columns, strict=True)]
