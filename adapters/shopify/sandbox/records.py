"""What the shop remembers: items and their levels, orders and what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from adapters.shopify.sandbox.seed import Policy

# A stale read may show a level as it stood this long ago, and no longer.
HISTORY = timedelta(seconds=120)


class RestockType(StrEnum):
    """What became of refunded units: put back from a return, released unshipped, or gone."""

    CANCEL = "CANCEL"
    NO_RESTOCK = "NO_RESTOCK"
    RETURN = "RETURN"


class Quantities(NamedTuple):
    """How a level stood from `at` on. The sandbox keeps no reserved, damaged, safety or incoming units."""

    at: datetime
    available: int
    committed: int

    @property
    def on_hand(self) -> int:
        return self.available + self.committed


@dataclass(slots=True)
class Location:
    id: int
    name: str
    active: bool
    fulfills_online_orders: bool
    service: str | None
    service_owns_stock: bool
    city: str | None
    country: str
    province: str | None
    zip: str | None
    created_at: datetime


@dataclass(slots=True)
class Level:
    """One item's numbers at one location, with the few last ones for replicas that lag."""

    id: int
    item_id: int
    location_id: int
    created_at: datetime
    active: bool = True
    history: deque[Quantities] = field(default_factory=deque)

    @property
    def now(self) -> Quantities:
        return self.history[-1]

    def become(self, at: datetime, available: int, committed: int) -> None:
        self.history.append(Quantities(at, available, committed))
        while len(self.history) > 1 and self.history[1].at <= at - HISTORY:
            self.history.popleft()

    def as_of(self, at: datetime) -> Quantities:
        """The numbers a replica shows that has heard everything up to `at`."""
        for quantities in reversed(self.history):
            if quantities.at <= at:
                return quantities
        return self.history[0]


@dataclass(slots=True)
class Item:
    """A product with one variant and one inventory item."""

    id: int  # of the inventory item
    variant_id: int
    product_id: int
    sku: str
    title: str
    barcode: str | None
    price: str
    policy: Policy
    tracked: bool
    requires_components: bool
    requires_shipping: bool
    created_at: datetime
    updated_at: datetime
    levels: dict[int, Level] = field(default_factory=dict)  # by location id


@dataclass(frozen=True, slots=True)
class Address:
    id: int
    name: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    zip: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    phone: str | None = None


@dataclass(slots=True)
class Line:
    """One line of an order. `item` is None for something that was never in the catalogue."""

    id: int
    item: Item | None
    title: str
    price: str
    quantity: int  # as ordered, never lowered
    released: int = 0  # taken out before it shipped
    returned: int = 0  # refunded after it shipped
    fulfilled: int = 0
    committed: dict[int, int] = field(default_factory=dict)  # location id -> units still to leave
    shipped: dict[int, int] = field(default_factory=dict)  # location id -> units that left

    @property
    def sku(self) -> str | None:
        return self.item.sku if self.item is not None else None

    @property
    def current(self) -> int:
        return self.quantity - self.released - self.returned

    @property
    def unfulfilled(self) -> int:
        return self.quantity - self.released - self.fulfilled

    @property
    def refundable_after_shipping(self) -> int:
        return self.fulfilled - self.returned


@dataclass(frozen=True, slots=True)
class RefundLine:
    id: int
    line: Line
    quantity: int
    restock_type: RestockType
    location_id: int | None


@dataclass(frozen=True, slots=True)
class Refund:
    id: int
    created_at: datetime
    lines: tuple[RefundLine, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Fulfillment:
    id: int
    name: str
    created_at: datetime
    location_id: int
    lines: tuple[tuple[Line, int], ...]


@dataclass(slots=True)
class Order:
    """An order as the shop has it now. Instants have whole seconds, as the vendor's do."""

    id: int
    number: int
    created_at: datetime
    updated_at: datetime
    currency: str
    lines: list[Line]
    ship_to: Address | None
    note: str | None
    test: bool = False
    edited: bool = False
    financial_status: str = "PAID"
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def fulfillment_status(self) -> str:
        shipped = sum(line.fulfilled for line in self.lines)
        if not shipped:
            return "UNFULFILLED"
        return "PARTIALLY_FULFILLED" if any(line.unfulfilled for line in self.lines) else "FULFILLED"
