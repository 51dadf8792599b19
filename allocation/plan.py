"""What was decided, and why: the answer of every policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from allocation.demand import DemandLine, SkuId, WarehouseId


class Reason(StrEnum):
    """Why a warehouse was used or not; `Considered.by` says by how much where that is a number."""

    USED = "used"
    HOLDS_NONE = "holds none of it"
    COMPLETES_NONE = "holds parts but completes no unit"
    LOWER_RANK = "lower rank"
    LATER_ID = "equal, with a later id"
    FARTHER = "farther"
    DISTANCE_UNKNOWN = "distance unknown"
    COSTS_MORE = "costs more"
    NO_RATE = "has no rate to this destination"
    NEEDS_UNRATED = "would need more from a warehouse without a rate"
    ADDS_PARCEL = "would add a parcel"


class Share(NamedTuple):
    """`quantity` listing units of `line`, whole, from `warehouse`."""

    line: int
    warehouse: WarehouseId
    quantity: int


class Considered(NamedTuple):
    """One candidate as the policy saw it: its terms, the units it serves, and why it serves no more.

    `free` keeps only the SKUs asked for that it holds, so that with the other terms the decision can be derived again.
    `by` is in minor units for COSTS_MORE and metres a unit for FARTHER, against the best way to use this warehouse that
    the policy weighed; None elsewhere.
    """

    warehouse: WarehouseId
    rank: int
    free: tuple[tuple[SkuId, int], ...]
    distance_km: float | None
    per_parcel_minor: int | None
    per_unit_minor: int | None
    units: int
    reason: Reason
    by: int | None

    def why(self, exponent: int = 2) -> str:
        """Say the reason in words; `exponent` is the currency's (2 for EUR, 0 for JPY)."""
        if self.by is None:
            return self.reason._value_  # what `value` gives, ten times as fast
        if self.reason is Reason.COSTS_MORE:
            whole, rest = divmod(self.by, 10**exponent)
            amount = f"{whole}.{rest:0{exponent}}" if exponent else str(whole)
            return f"costs {amount} more"
        return f"{self.by / 1000:.1f} km farther"

    def to_json(self, exponent: int = 2) -> dict[str, object]:
        """Plain types, without what is unknown or zero."""
        record: dict[str, object] = {"warehouse": self.warehouse, "rank": self.rank, "why": self.why(exponent)}
        if self.units:
            record["units"] = self.units
        if self.free:
            record["free"] = [list(pair) for pair in self.free]
        if self.distance_km is not None:
            record["distance_km"] = self.distance_km
        if self.per_parcel_minor is not None:
            record["per_parcel_minor"] = self.per_parcel_minor
        if self.per_unit_minor is not None:
            record["per_unit_minor"] = self.per_unit_minor
        return record


@dataclass(frozen=True, slots=True)
class Plan:
    """Which warehouse serves how many units of which line, what stays short, and the inputs that made it so.

    `shares` are in order of line and warehouse, `short` of line: (line, listing units), `considered` of rank and
    warehouse. `cost_minor` is the cost of the parcels planned, None if one has no rate; `unit_km` the sum of distance
    over the units planned, None if one is unknown.
    """

    policy: str
    version: int
    wanted: tuple[DemandLine, ...]
    shares: tuple[Share, ...]
    short: tuple[tuple[int, int], ...]
    cost_minor: int | None
    unit_km: float | None
    considered: tuple[Considered, ...]

    def to_json(self, exponent: int = 2) -> dict[str, object]:
        """Plain types, compact, and enough for `allocation.rederive` to decide the same again."""
        record: dict[str, object] = {
            "policy": self.policy,
            "version": self.version,
            "wanted": [[line.line, line.quantity, [list(pair) for pair in line.components]] for line in self.wanted],
            "shares": [[share.line, share.warehouse, share.quantity] for share in self.shares],
            "considered": [each.to_json(exponent) for each in self.considered],
        }
        if self.short:
            record["short"] = [list(pair) for pair in self.short]
        if self.cost_minor is not None:
            record["cost_minor"] = self.cost_minor
        if self.unit_km is not None:
            record["unit_km"] = self.unit_km
        return record
