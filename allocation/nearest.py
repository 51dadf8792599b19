"""The policy `nearest`: each unit from as near to the buyer as it can be."""

from __future__ import annotations

from collections.abc import Sequence

from allocation.demand import Candidate, Demand
from allocation.filling import Filler
from allocation.plan import Plan, Reason
from allocation.problem import Portion, by_rank, metres, pose

VERSION = 1


def nearest(demand: Demand, candidates: Sequence[Candidate]) -> Plan:
    """Minimise the sum of distance over the units.

    Formula: minimise units short, then units from an unknown distance, then sum_i d_i * u_i, with d_i the distance in
    whole metres and u_i the units from site i; ties by rank, then id. No parcel has a price here, so taking greedily by
    distance is exact while lines with different components share no SKU; where they do, exactness ends as
    `allocation.contention` says. Source: the distance-priority algorithm of Magento's Multi-Source Inventory; a
    transportation problem with one destination, where greedy is optimal (Hitchcock, 1941, has the general case).
    """
    problem = pose(demand, candidates)
    known = [metres(site) for site in problem.sites]
    unknown = 1 + problem.quantity * max([away for away in known if away is not None], default=0)
    away = [unknown if each is None else each for each in known]
    portions: Sequence[Portion]
    first = min(problem.useful, key=lambda site: (away[site], site), default=None)
    if first is not None and first in problem.covering:
        portions = problem.whole(first)
    else:
        portions = Filler(problem, [0] * len(away), away).fill_from_all().portions

    def why(site: int) -> tuple[Reason, int | None]:
        instead = [used for want, used, _ in portions if problem.wants[want].makeable[site]]
        farthest = max([away[used] for used in instead])
        if farthest == away[site]:
            return by_rank(problem, site, [used for used in instead if away[used] == farthest]), None
        if known[site] is None:
            return Reason.DISTANCE_UNKNOWN, None
        return Reason.FARTHER, away[site] - farthest

    return problem.conclude("nearest", VERSION, portions, why)
