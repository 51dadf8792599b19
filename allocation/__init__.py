"""Which warehouse serves which unit, and why: pure thought on the standard library alone.

`plan(policy, demand, candidates)` answers with a `Plan` that explains itself; `rederive(record)` decides a recorded
plan again.
"""

from allocation.demand import Candidate, Demand, DemandLine, SkuId, WarehouseId
from allocation.plan import Considered, Plan, Reason, Share
from allocation.policy import Policy, plan, rederive

__all__ = [
    "Candidate",
    "Considered",
    "Demand",
    "DemandLine",
    "Plan",
    "Policy",
    "Reason",
    "Share",
    "SkuId",
    "WarehouseId",
    "plan",
    "rederive",
]
