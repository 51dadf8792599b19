"""What a warehouse with an API is to syncd: a source of stock levels and, if it ships for us, a place to send parcels.

It names goods by `warehouse_sku` (the seller's code there) and a shipment by our `reference`. Quantities are int
pieces, instants aware UTC datetimes. Errors are the five of `adapters.contract`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from adapters.contract import Address, Identity


@dataclass(frozen=True, slots=True)
class WarehouseTraits:
    """What booking its levels must know of a warehouse. Durations are the seller's seconds unless `_real_s`."""

    poll_every_s: float
    shipments_poll_every_s: float
    shipments_overlap_s: float
    settle_s: float  # after this a shipment request without an answer has arrived or never will
    request_timeout_real_s: float


@dataclass(frozen=True, slots=True)
class StockRow:
    """An item's free stock: what is still to promise, net of orders accepted from us. A code told twice counts once."""

    warehouse_sku: str
    free: int
    unavailable: int = 0  # there, but not for sale: damaged, quarantined
    problem: str | None = None  # why the numbers cannot be believed; they are 0 then and mean nothing


@dataclass(frozen=True, slots=True)
class StockPage:
    """Levels as they stood at `as_of` or later. An item that no page names is unknown, never zero."""

    as_of: datetime
    rows: tuple[StockRow, ...]


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    line_ref: str  # ours, unique in the shipment
    warehouse_sku: str
    quantity: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentOrder:
    """What a warehouse is asked to ship. Sending the same `reference` again never ships twice."""

    reference: str  # ours, letters, digits and hyphens only
    order_name: str
    ship_to: Address
    lines: tuple[ShipmentLine, ...]
    placed_at: datetime


class ShipmentStatus(StrEnum):
    ACCEPTED = "accepted"  # it counts in the warehouse's own reservations
    PICKING = "picking"  # the same, and too late for most cancellations
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    EXCEPTION = "exception"  # a person must act at the warehouse; its stock stays reserved there


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel that left, with the pieces in it by `warehouse_sku`."""

    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    shipped_at: datetime | None
    pieces: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ShipmentState:
    """A shipment request as the warehouse has it now."""

    reference: str
    warehouse_shipment_id: str
    status: ShipmentStatus
    shipped: Mapping[str, int]  # pieces that have left, by warehouse_sku
    parcels: tuple[Parcel, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of a cancellation. `done` False: the goods stay promised, and may still leave."""

    done: bool
    reason: str | None = None


class StockSource(Protocol):
    """A warehouse whose levels can be read. Every method maps every failure to one of the five AdapterErrors."""

    @property
    def traits(self) -> WarehouseTraits: ...

    @property
    def throttled(self) -> int:
        """How often the vendor has told us to wait since this process began."""
        ...

    async def identify(self) -> Identity: ...

    def read_stock(self) -> AsyncIterator[StockPage]:
        """Every item's level, in pages. Ending without error means: complete."""
        ...

    async def close(self) -> None: ...


class Fulfiller(StockSource, Protocol):
    """A warehouse that ships for us."""

    async def submit(self, order: ShipmentOrder) -> ShipmentState:
        """Ask for a shipment. A reference it knows already answers with the shipment it has, never a second one.

        Raises Rejected when it never will ship this; OutcomeUnknown when it may have taken it: then `find` it first.
        """
        ...

    async def find(self, reference: str) -> ShipmentState | None:
        """The shipment of this reference, or None when the warehouse has none."""
        ...

    def poll_shipments(self, since: datetime) -> AsyncIterator[Sequence[ShipmentState]]:
        """Every shipment of ours changed at or after `since`. Ending without error means: complete."""
        ...

    async def cancel(self, warehouse_shipment_id: str) -> Cancelled:
        """Ask for a shipment not to leave. Only `done` frees its goods. OutcomeUnknown: `find` it."""
        ...

    async def ensure_webhooks(self, public_url: str) -> Sequence[object]:
        """Have the warehouse send its news to this address; what was done, one printable item a subscription."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> str:
        """The topic of rightly signed news, which only says that a poll is worth while. Pure. Raises Forged."""
        ...
