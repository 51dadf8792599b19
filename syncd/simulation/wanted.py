"""Orders that somebody is to place, told beforehand instead of made up on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WantedOrder:
    """`lines` are units by SKU; instants are counted from the first order of all."""

    after_s: float
    account: str
    name: str
    lines: tuple[tuple[str, int], ...]
    country: str
    postcode: str = ""
    city: str = ""
    unpaid: bool = False
    cancelled_after_s: float | None = None


def channels_by_sku(orders: Sequence[WantedOrder]) -> dict[str, tuple[str, ...]]:
    """Where each SKU is wanted, in the order of first appearance."""
    wanted: dict[str, dict[str, None]] = {}
    for order in orders:
        for sku, _ in order.lines:
            wanted.setdefault(sku, {})[order.account] = None
    return {sku: tuple(accounts) for sku, accounts in wanted.items()}


def units_by_sku(orders: Sequence[WantedOrder]) -> Mapping[str, int]:
    """How much of each SKU all orders together want."""
    units: dict[str, int] = {}
    for order in orders:
        for sku, quantity in order.lines:
            units[sku] = units.get(sku, 0) + quantity
    return units
