"""What the account remembers: items, their levels, orders and their shipments."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]  # a JSON object on its way in or out; shaped by the vendor, not by us

_REMEMBERED = 64  # changes of a level that a stale read may still see


class Status(StrEnum):
    """A shipment's status, as the vendor prints it."""

    PROCESSING = "Processing"
    LABELED = "LabeledCreated"
    COMPLETED = "Completed"
    EXCEPTION = "Exception"
    ON_HOLD = "OnHold"
    CANCELLED = "Cancelled"


@dataclass(frozen=True, slots=True)
class Quantities:
    """`fulfillable` is on_hand - committed, and never shown below 0."""

    on_hand: int
    committed: int

    @property
    def fulfillable(self) -> int:
        return max(0, self.on_hand - self.committed)


class Level:
    """An item at a location, with its recent past."""

    def __init__(self, location_id: int, at: datetime, on_hand: int) -> None:
        self.location_id = location_id
        self._past: deque[tuple[datetime, Quantities]] = deque([(at, Quantities(on_hand, 0))], _REMEMBERED)

    @property
    def now(self) -> Quantities:
        return self._past[-1][1]

    def become(self, at: datetime, on_hand: int, committed: int) -> None:
        self._past.append((at, Quantities(on_hand, committed)))

    def as_of(self, at: datetime) -> Quantities:
        """The numbers at an instant; the oldest known before that."""
        return next((numbers for since, numbers in reversed(self._past) if since <= at), self._past[0][1])


@dataclass(slots=True)
class Item:
    """A product and its only inventory item."""

    product_id: int
    inventory_id: int
    sku: str
    name: str
    levels: dict[int, Level]  # by location id


@dataclass(frozen=True, slots=True)
class Line:
    """A product of an order, or of a shipment."""

    item: Item
    quantity: int


@dataclass(frozen=True, slots=True)
class Detail:
    """A status detail: the vendor's number, name and words for it."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Tracking:
    carrier: str
    service: str
    number: str
    url: str
    shipped_at: datetime


@dataclass(slots=True)
class Shipment:
    """A part of an order at one location. `committed` says whether its pieces are taken off what is fulfillable."""

    id: int
    location_id: int
    lines: tuple[Line, ...]
    status: Status
    created_at: datetime
    updated_at: datetime
    committed: bool
    detail: Detail | None = None
    picking: bool = False
    tracking: Tracking | None = None

    @property
    def open(self) -> bool:
        return self.status not in (Status.COMPLETED, Status.CANCELLED)


@dataclass(slots=True)
class Order:
    """An order as it was placed; only its shipments change."""

    id: int
    reference: str
    number: str
    recipient: Json
    shipping_method: str
    type: str
    lines: tuple[Line, ...]
    created_at: datetime
    purchased_at: str | None
    shows_from: datetime  # lists show it no earlier
    shipments: list[Shipment] = field(default_factory=list)

    @property
    def updated_at(self) -> datetime:
        return max((one.updated_at for one in self.shipments), default=self.created_at)

    @property
    def status(self) -> str:
        """The order's status, which its shipments imply."""
        statuses = [one.status for one in self.shipments]
        if all(one is Status.CANCELLED for one in statuses):
            return "Cancelled"
        left = [one for one in statuses if one is not Status.CANCELLED]
        if all(one is Status.COMPLETED for one in left):
            return "Fulfilled"
        if Status.COMPLETED in left:
            return "PartiallyFulfilled"
        return "Exception" if {Status.EXCEPTION, Status.ON_HOLD} & set(left) else "Processing"
