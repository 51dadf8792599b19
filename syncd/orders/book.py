"""What we already hold of an order, and what the world around it looks like when it is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from adapters.contract import OrderState
from allocation import Policy

Components = tuple[tuple[int, int], ...]
"""((sku_id, pieces a listing unit), ...)"""


class OrderStanding(StrEnum):
    OPEN = "open"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class ShortageReason(StrEnum):
    OVERSOLD = "oversold"
    BACKORDER = "backorder"
    UNMAPPED = "unmapped"
    UNCOVERED = "uncovered"  # taken in before the account went live: nothing we showed has sold it


@dataclass(frozen=True, slots=True)
class Rate:
    """What it costs to ship into one zone, in minor units of the cost currency."""

    zone: str
    per_parcel_minor: int
    per_unit_minor: int


@dataclass(frozen=True, slots=True)
class PoolWarehouse:
    """A warehouse of an account's pool, with what it costs to ship from it."""

    warehouse_id: int
    key: str
    rank: int
    own: bool
    country: str
    postcode: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """What applying an order must know of its account."""

    account_id: int
    key: str
    live: bool
    policy: Policy
    granularity_s: float
    staleness_s: float
    index_lag_s: float
    pool: tuple[PoolWarehouse, ...]

    def rank_of(self, warehouse_id: int) -> int:
        return next((w.rank for w in self.pool if w.warehouse_id == warehouse_id), len(self.pool))


@dataclass(frozen=True, slots=True)
class ListingView:
    """What order lines of a listing are made of."""

    listing_id: int
    components: Components
    back_orderable: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order as a channel just told it, from one inbox row."""

    account_id: int
    inbox_id: int
    way: str
    digest: str
    order: OrderState


@dataclass(slots=True)
class LineBook:
    """One order line as our book has it. All quantities are listing units; warehouses map to units."""

    channel_line_id: str
    placed_at: datetime
    line_id: int | None = None
    line_key: str | None = None
    code: str | None = None
    listing_id: int | None = None
    back_orderable: bool = False
    components: Components = ()
    quantity: int = 0
    fulfilled: int = 0
    shipped: int = 0
    taken_min: int = 0
    taken_max: int = 0
    oversold: int = 0
    parked: str | None = None
    unit_price_minor: int | None = None
    currency: str | None = None
    held: dict[int, int] = field(default_factory=dict)  # open units, whatever their stage
    handed_over: dict[tuple[int, str], int] = field(default_factory=dict)  # of these, by (warehouse, later stage)
    shipped_from: dict[int, int] = field(default_factory=dict)
    short: int = 0
    short_reason: ShortageReason | None = None

    @property
    def open_units(self) -> int:
        """Units promised and not yet gone: held or short."""
        return sum(self.held.values()) + self.short

    @property
    def wanted_units(self) -> int:
        return max(0, self.quantity - max(self.fulfilled, self.shipped))

    def stages(self) -> Iterator[tuple[int, str, int]]:
        """(warehouse_id, stage, units) of every reservation: what shrinks is what no warehouse was told of yet."""
        told = dict(self.held)
        for (warehouse_id, stage), units in sorted(self.handed_over.items()):
            still = min(units, told[warehouse_id])
            told[warehouse_id] -= still
            yield warehouse_id, stage, still
        for stage, place in (("held", told), ("shipped", self.shipped_from)):
            for warehouse_id, units in place.items():
                yield warehouse_id, stage, units


@dataclass(slots=True)
class OrderBook:
    """One order as our book has it; `order_id` None while it is new."""

    account_id: int
    channel_order_id: str
    order_id: int | None = None
    version_at: datetime | None = None
    digest: str = ""
    way: str = ""
    country: str | None = None
    postcode_prefix: str | None = None
    applications: int = 0
    lines: dict[str, LineBook] = field(default_factory=dict)


Listings = Mapping[tuple[int, str], ListingView]
"""By (account_id, line_key)."""
