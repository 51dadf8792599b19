"""The policies by name, and the way back from a recorded decision.

Each policy has a VERSION: raise it with any change, of a limit of the search too, that can change a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from allocation.cheapest import cheapest
from allocation.demand import Candidate, Demand, DemandLine, SkuId, WarehouseId
from allocation.fewest_splits import fewest_splits
from allocation.nearest import nearest
from allocation.plan import Plan
from allocation.priority import priority


class Policy(StrEnum):
    """How a seller wants units to be placed."""

    PRIORITY = "priority"
    NEAREST = "nearest"
    CHEAPEST = "cheapest"
    FEWEST_SPLITS = "fewest_splits"


_POLICIES: dict[Policy, Callable[[Demand, Sequence[Candidate]], Plan]] = {
    Policy.PRIORITY: priority,
    Policy.NEAREST: nearest,
    Policy.CHEAPEST: cheapest,
    Policy.FEWEST_SPLITS: fewest_splits,
}


def plan(policy: Policy, demand: Demand, candidates: Sequence[Candidate]) -> Plan:
    """Place a demand: least short first, then by the policy. A shortage is data; the order of the input never shows."""
    return _POLICIES[policy](demand, candidates)


def rederive(record: Mapping[str, Any]) -> Plan:
    """Decide again from the inputs kept in `Plan.to_json()`.

    Within one `version` of a policy the answer equals the plan recorded; across versions it is what would be
    decided now.
    """
    demand = Demand(
        tuple(
            DemandLine(line, quantity, tuple((SkuId(sku), pieces) for sku, pieces in components))
            for line, quantity, components in record["wanted"]
        )
    )
    candidates = [
        Candidate(
            WarehouseId(each["warehouse"]),
            each["rank"],
            {SkuId(sku): pieces for sku, pieces in each.get("free", ())},
            each.get("distance_km"),
            each.get("per_parcel_minor"),
            each.get("per_unit_minor"),
        )
        for each in record["considered"]
    ]
    return plan(Policy(record["policy"]), demand, candidates)
