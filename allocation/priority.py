"""The policy `priority`: the seller's own order of warehouses."""

from __future__ import annotations

from collections.abc import Sequence

from allocation.demand import Candidate, Demand
from allocation.filling import Filler
from allocation.plan import Plan, Reason
from allocation.problem import Portion, by_rank, pose

VERSION = 1


def priority(demand: Demand, candidates: Sequence[Candidate]) -> Plan:
    """Take as much as there is from the best rank, then from the next.

    Formula: with sites 1, 2, ... by rank, then id, and u_i the units from site i: minimise units short, then maximise
    (u_1, u_2, ...) lexicographically: all tolls are zero and the order breaks the tie. Taking greedily by rank, line by
    line in order of key, is exact while lines with different components share no SKU; where they do, exactness ends as
    `allocation.contention` says.
    Source: the priority algorithm of Magento's Multi-Source Inventory, with demand summed over lines first.
    """
    problem = pose(demand, candidates)
    useful = problem.useful
    portions: Sequence[Portion]
    whole = bool(useful) and useful[0] in problem.covering
    if whole:
        portions = problem.whole(useful[0])
    else:
        nothing = [0] * len(problem.sites)
        portions = Filler(problem, nothing, nothing).fill_from_all().portions

    first = useful[:1]

    def why(site: int) -> tuple[Reason, int | None]:
        instead = first if whole else [used for want, used, _ in portions if problem.wants[want].makeable[site]]
        return by_rank(problem, site, instead), None

    return problem.conclude("priority", VERSION, portions, why)
