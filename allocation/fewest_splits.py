"""The policy `fewest_splits`: as few parcels as the order can be sent in."""

from __future__ import annotations

from collections.abc import Sequence

from allocation.demand import Candidate, Demand
from allocation.filling import Filler
from allocation.plan import Plan, Reason
from allocation.problem import Portion, by_rank, metres, pose
from allocation.supports import search

VERSION = 1


def fewest_splits(demand: Demand, candidates: Sequence[Candidate]) -> Plan:
    """Minimise the number of warehouses used.

    Formula: minimise units short, then |S|, the number of sites used; between equals the cost
    sum over S of per_parcel_i + per_unit_i * u_i if every site that holds anything has a rate, then units from an
    unknown distance, then sum over S of d_i * u_i in metres, then the sites' rank and id. Exact to 8 sites that hold
    anything, and above where 3 of them suffice (`allocation.supports`), while lines with different components share no
    SKU; where they do, exactness ends as `allocation.contention` says.
    Source: minimum set cover (Karp, 1972, NP-hard), enumerated because sites are few.
    """
    problem = pose(demand, candidates)
    sites, quantity = problem.sites, problem.quantity
    known = [metres(site) for site in sites]
    unknown = 1 + quantity * max([away for away in known if away is not None], default=0)
    minor = unknown * (quantity + 1)
    unit = [unknown if away is None else away for away in known]
    parcel = [0] * len(sites)
    priced = [(index, sites[index].per_parcel_minor, sites[index].per_unit_minor) for index in problem.useful]
    if all(for_parcel is not None and for_unit is not None for _, for_parcel, for_unit in priced):
        for index, for_parcel, for_unit in priced:
            parcel[index] = (for_parcel or 0) * minor
            unit[index] += (for_unit or 0) * minor
    singles = {index: (parcel[index] + unit[index] * quantity, 1) for index in problem.covering}
    portions: Sequence[Portion]
    used: tuple[int, ...]
    if singles:
        best = min(singles, key=lambda index: (singles[index], index))
        portions, toll, used, rivals = problem.whole(best), singles[best][0], (best,), singles
    else:
        filling, rivals = search(Filler(problem, parcel, unit), fewest=True)
        portions, toll, used = filling.portions, filling.toll, filling.used

    def why(site: int) -> tuple[Reason, int | None]:
        if site not in rivals or rivals[site][1] > len(used):
            return Reason.ADDS_PARCEL, None
        cost, rest = divmod(rivals[site][0], minor)
        if cost > toll // minor:
            return Reason.COSTS_MORE, cost - toll // minor
        blind, away = divmod(rest, unknown)
        chosen_blind, chosen_away = divmod(toll % minor, unknown)
        if blind > chosen_blind:
            return Reason.DISTANCE_UNKNOWN, None
        if away > chosen_away:
            return Reason.FARTHER, (away - chosen_away) // sum([units for _, _, units in portions])
        return by_rank(problem, site, used), None

    return problem.conclude("fewest_splits", VERSION, portions, why)
