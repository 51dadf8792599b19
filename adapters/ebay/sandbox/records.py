"""What the account remembers: items, offers and listings, purchases and what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.ebay.sandbox.seed import Format

# A stale read may show a figure as it stood this long ago, and no longer.
HISTORY = timedelta(seconds=120)


class Figure:
    """A quantity, with the few last ones for replicas that lag."""

    def __init__(self, at: datetime, value: int) -> None:
        self._history = deque([(at, value)])

    @property
    def now(self) -> int:
        return self._history[-1][1]

    def become(self, at: datetime, value: int) -> None:
        self._history.append((at, value))
        while len(self._history) > 1 and self._history[1][0] <= at - HISTORY:
            self._history.popleft()

    def shown(self, read_at: datetime | None) -> int:
        """The value as a replica shows it that has heard everything up to `read_at`; None is no replica."""
        if read_at is None:
            return self.now
        return next((value for at, value in reversed(self._history) if at <= read_at), self._history[0][1])


@dataclass(slots=True)
class Item:
    sku: str
    title: str
    gtin: str | None
    group: str | None
    in_inventory: bool
    quantity: Figure


@dataclass(slots=True)
class Offer:
    """An item on the marketplace. `cap` None: the item's quantity alone applies."""

    id: str
    item: Item
    listing_id: str
    variation_id: str | None
    format: Format
    price: str
    cap: Figure | None
    sold: int = 0
    ended: bool = False  # an auction that found its buyer

    @property
    def reserved(self) -> int:
        """What an auction holds back from the item's total."""
        return int(self.format is Format.AUCTION and not self.ended)

    def cap_at(self, at: datetime, quantity: int) -> None:
        """Give the offer a number of its own."""
        if self.cap is None:
            self.cap = Figure(at, quantity)
        else:
            self.cap.become(at, quantity)

    def live(self, read_at: datetime | None = None) -> int:
        """What a buyer can have: the smaller of the item's number and the offer's."""
        total = self.item.quantity.shown(read_at)
        if self.format is Format.AUCTION:
            return min(total, self.reserved)
        return total if self.cap is None else min(total, self.cap.shown(read_at))


@dataclass(frozen=True, slots=True)
class ShipTo:
    name: str
    address1: str
    city: str
    country: str
    address2: str | None = None
    province: str | None = None
    zip: str | None = None
    phone: str | None = None


@dataclass(slots=True)
class Line:
    id: str
    offer: Offer
    title: str
    price: str
    quantity: int
    shipped: int = 0

    @property
    def to_ship(self) -> int:
        return self.quantity - self.shipped


@dataclass(frozen=True, slots=True)
class Shipment:
    id: str
    lines: tuple[tuple[Line, int], ...]
    shipped_at: datetime
    carrier: str | None
    tracking: str | None


@dataclass(slots=True)
class Order:
    """A purchase; an order only once it is paid. Instants have whole milliseconds, as the vendor's do."""

    serial: int
    id: str
    created_at: datetime  # when the buyer committed, however late the payment
    modified_at: datetime
    lines: list[Line]
    ship_to: ShipTo
    buyer: str
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_id: str = ""
    shipments: list[Shipment] = field(default_factory=list)

    @property
    def fulfillment_status(self) -> str:
        """A line counts as fulfilled as soon as any unit of it has shipped, as the vendor counts."""
        begun = sum(line.shipped > 0 for line in self.lines)
        if not begun:
            return "NOT_STARTED"
        return "FULFILLED" if begun == len(self.lines) else "IN_PROGRESS"
