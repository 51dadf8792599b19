"""What the seller's account remembers: SKUs and their numbers, orders and what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.amazon.sandbox.errors import Json

# A stale read may show a number as it stood this long ago, and no longer.
HISTORY = timedelta(seconds=120)


class Status(StrEnum):
    """Where an order stands, as the 2026-01-01 API spells it."""

    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"


@dataclass(slots=True)
class OfferedNumber:
    """The number that shoppers see on a merchant's offer, with its last few values for replicas that lag."""

    history: deque[tuple[datetime, int]]

    @classmethod
    def of(cls, at: datetime, quantity: int) -> OfferedNumber:
        return cls(deque([(at, quantity)]))

    @property
    def now(self) -> int:
        return self.history[-1][1]

    def become(self, at: datetime, quantity: int) -> None:
        self.history.append((at, quantity))
        while len(self.history) > 1 and self.history[1][0] <= at - HISTORY:
            self.history.popleft()

    def as_of(self, at: datetime) -> int:
        """What a replica shows that has heard everything up to `at`."""
        for since, quantity in reversed(self.history):
            if since <= at:
                return quantity
        return self.history[0][1]


@dataclass(slots=True)
class FbaStock:
    """Units of a SKU in Amazon's own warehouses."""

    fnsku: str
    fulfillable: int
    updated_at: datetime
    unfulfillable: int = 0
    reserved: int = 0  # for customers' orders that have not left


@dataclass(slots=True)
class Item:
    """One seller SKU: its offer, the number shown on it, and FBA's stock of it.

    `submitted` is what was last sent of `fulfillment_availability`, by channel code; `offered` is what is live. The
    two part whenever something sells.
    """

    sku: str
    title: str
    asin: str
    gtin: str
    price: str
    product_type: str
    created_at: datetime
    updated_at: datetime
    submitted: dict[str, Json]
    offered: OfferedNumber | None
    fba: FbaStock | None


@dataclass(frozen=True, slots=True)
class ShipTo:
    """Where a buyer wants the parcel."""

    name: str = "Sandbox Buyer"
    address1: str = "1 Sandbox Street"
    city: str = "Seattle"
    zip: str = "98101"
    country: str = "US"
    province: str | None = "WA"


@dataclass(slots=True)
class OrderItem:
    """One position of an order. `cancelled` units will never leave; the others have, or still have to."""

    id: str
    item: Item
    price: str
    quantity: int  # as ordered, never lowered
    cancelled: int = 0
    shipped: int = 0
    cancel_reason: str | None = None

    @property
    def current(self) -> int:
        return self.quantity - self.cancelled

    @property
    def unshipped(self) -> int:
        return self.current - self.shipped


@dataclass(frozen=True, slots=True)
class Package:
    """A parcel of a merchant's order."""

    reference: str
    at: datetime
    carrier: str
    service: str
    tracking: str
    contents: tuple[tuple[OrderItem, int], ...]


@dataclass(slots=True)
class Order:
    """An order as it stands now. Instants have whole seconds, as the vendor's do."""

    id: str
    created_at: datetime
    updated_at: datetime
    by_channel: bool
    paid: bool
    items: list[OrderItem]
    ship_to: ShipTo
    cancelled: bool = False
    packages: dict[str, Package] = field(default_factory=dict)  # by reference

    @property
    def status(self) -> Status:
        if self.cancelled:
            return Status.CANCELLED
        if not self.paid:
            return Status.PENDING
        if not any(item.shipped for item in self.items):
            return Status.UNSHIPPED
        return Status.PARTIALLY_SHIPPED if any(item.unshipped for item in self.items) else Status.SHIPPED
