"""The policy `cheapest`: the least money for shipping."""

from __future__ import annotations

from collections.abc import Sequence

from allocation.demand import Candidate, Demand
from allocation.filling import Filler
from allocation.plan import Plan, Reason
from allocation.problem import Portion, Problem, by_rank, pose
from allocation.supports import search

VERSION = 1


def cheapest(demand: Demand, candidates: Sequence[Candidate]) -> Plan:
    """Minimise the price of the parcels and of the units in them.

    Formula: minimise units short, then units from sites without a rate, then sum over sites used of
    per_parcel_i + per_unit_i * u_i, with u_i the listing units from site i; ties by fewer parcels, then by the sites'
    rank and id. Exact to 8 sites that hold anything, and above where 3 of them suffice (`allocation.supports`), while
    lines with different components share no SKU; where they do, exactness ends as `allocation.contention` says.
    Source: the fixed-charge transportation problem (Balinski, 1961); deciding each order by itself is the myopic
    baseline of Xu, Allgor and Graves, *Benefits of Reevaluating Real-Time Order Fulfillment Decisions* (2009).
    """
    problem = pose(demand, candidates)
    parcel = [0] * len(problem.sites)
    unit = [-1] * len(problem.sites)
    for index, site in enumerate(problem.sites):
        if site.per_parcel_minor is not None and site.per_unit_minor is not None:
            parcel[index], unit[index] = site.per_parcel_minor, site.per_unit_minor
    rated = [index for index in problem.useful if unit[index] >= 0]
    rates = 1 + sum(parcel) + problem.quantity * max([0, *unit])
    singles = {
        index: (parcel[index] + unit[index] * problem.quantity, 1) for index in problem.covering if index in rated
    }
    best = min(singles, key=lambda index: (singles[index], index), default=None)
    portions: Sequence[Portion]
    used: tuple[int, ...]
    if best is not None and singles[best][0] <= _least_for_two(problem, rated, parcel, unit):
        portions, toll, used, rivals = problem.whole(best), singles[best][0], (best,), singles
    else:
        unit = [rates if each < 0 else each for each in unit]
        filling, rivals = search(Filler(problem, parcel, unit), fewest=False)
        portions, toll, used = filling.portions, filling.toll, filling.used

    def why(site: int) -> tuple[Reason, int | None]:
        if site not in rated:
            return Reason.NO_RATE, None
        if site not in rivals:
            return Reason.ADDS_PARCEL, None
        unrated, cost = divmod(rivals[site][0], rates)
        if unrated > toll // rates:
            return Reason.NEEDS_UNRATED, None
        if cost > toll % rates:
            return Reason.COSTS_MORE, cost - toll % rates
        return (Reason.ADDS_PARCEL if rivals[site][1] > len(used) else by_rank(problem, site, used)), None

    return problem.conclude("cheapest", VERSION, portions, why)


def _least_for_two(problem: Problem, rated: list[int], parcel: list[int], unit: list[int]) -> int:
    """No plan of two parcels or more costs less than this."""
    if len(rated) < 2:
        return parcel[rated[0]] + unit[rated[0]] * problem.quantity
    first, second = sorted([parcel[site] for site in rated])[:2]
    return first + second + min([unit[site] for site in rated]) * problem.quantity
