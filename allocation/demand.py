"""What an order asks for, and the warehouses that may serve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NewType

SkuId = NewType("SkuId", int)
WarehouseId = NewType("WarehouseId", int)


@dataclass(frozen=True, slots=True)
class DemandLine:
    """One order line: `quantity` listing units, each made of `components`.

    A plain listing is `((sku, 1),)`, a pack of three `((sku, 3),)`, a kit several pairs (a SKU named twice counts
    twice). `line` is the caller's key, unique within the demand; lines are handled in its order.
    """

    line: int
    quantity: int
    components: tuple[tuple[SkuId, int], ...]

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"line {self.line} wants {self.quantity} units; at least 1 is a demand")
        if not self.components:
            raise ValueError(f"line {self.line} has no components; an unmapped line is not a demand")
        for sku, pieces in self.components:
            if pieces < 1:
                raise ValueError(
                    f"line {self.line} takes {pieces} pieces of SKU {sku} a unit; at least 1 is a component"
                )


@dataclass(frozen=True, slots=True)
class Demand:
    """All lines of one order, planned together so that lines sharing a SKU never count the same piece twice."""

    lines: tuple[DemandLine, ...]

    def __post_init__(self) -> None:
        if len(self.lines) > 1 and len({line.line for line in self.lines}) < len(self.lines):
            raise ValueError("two lines of one demand share a key")


class Candidate(NamedTuple):
    """A warehouse that may serve the order.

    `rank`: lower is preferred. `available`: free pieces by SKU; missing is 0, a negative counts as 0; it is
    read, never kept. `distance_km`: to the buyer; None is unknown and sorts last. `per_parcel_minor` and
    `per_unit_minor`: at least 0, in minor units of one currency for all candidates; None in either means no rate to
    this destination.
    """

    warehouse: WarehouseId
    rank: int
    available: Mapping[SkuId, int]
    distance_km: float | None
    per_parcel_minor: int | None
    per_unit_minor: int | None
