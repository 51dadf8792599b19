"""How many units of a listing may be shown, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ComponentStock:
    """Pieces of one component of a listing."""

    sku_id: int
    units: int  # pieces a listing unit
    available: Mapping[int, int]  # by warehouse of the pool; may be negative
    safety_stock: int
    shortage: int  # open demand that found no unit
    unseen: int  # holds of all listings of the component

    @property
    def free(self) -> int:
        """Pieces that sales may see, over the whole pool."""
        return sum(self.available.values()) - self.safety_stock - self.shortage - self.unseen

    @property
    def makeable_alone(self) -> int:
        """Units of a listing that is made of nothing else, over the pool."""
        return sum([pieces // self.units for pieces in self.available.values() if pieces > 0])


@dataclass(frozen=True, slots=True)
class Sellable:
    """The number, and the terms it is the least of."""

    quantity: int
    makeable: int
    free_units: int
    bound_by: int | None  # the component that allows the fewest units
    buffer: int
    cap: int | None
    terms: tuple[ComponentStock, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "quantity": self.quantity,
            "makeable": self.makeable,
            "free_units": self.free_units,
            "bound_by": self.bound_by,
            "buffer": self.buffer,
            "cap": self.cap,
            "components": [
                {
                    "sku_id": term.sku_id,
                    "units": term.units,
                    "available": {str(warehouse): pieces for warehouse, pieces in sorted(term.available.items())},
                    "safety_stock": term.safety_stock,
                    "shortage": term.shortage,
                    "unseen": term.unseen,
                }
                for term in self.terms
            ],
        }


def sellable(components: tuple[ComponentStock, ...], buffer: int, cap: int | None) -> Sellable:
    """clamp(min(sum over the pool of makeable, min over components of (free - unseen) // units) - buffer, 0, cap).

    A unit of a kit comes whole from one warehouse, so what can be made is counted by warehouse.
    """
    if not components:
        return Sellable(0, 0, 0, None, buffer, cap, ())
    free, tightest = min([(each.free // each.units, each.sku_id) for each in components])
    makeable = components[0].makeable_alone if len(components) == 1 else _makeable(components)
    quantity = max(0, min(makeable, free) - buffer)
    if cap is not None:
        quantity = min(quantity, cap)
    return Sellable(quantity, makeable, free, tightest, buffer, cap, components)


def _makeable(components: tuple[ComponentStock, ...]) -> int:
    warehouses = {warehouse for component in components for warehouse in component.available}
    return sum(
        min(max(0, component.available.get(warehouse, 0)) // component.units for component in components)
        for warehouse in warehouses
    )
