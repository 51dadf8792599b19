"""What we already hold of an order, and what the world around it looks like when it is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from adapters.contract import OrderState
from allocation import Policy, WarehouseId

Components = tuple[tuple[int, int], ...]
"""((sku_id, pieces a listing unit), ...)"""


class OrderStanding(StrEnum):
    OPEN = "open"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """How far a reserved unit has come."""

    HELD = "held"
    SUBMITTED = "submitted"  # an outside warehouse is asked to ship it
    ACCEPTED = "accepted"  # it counts in that warehouse's own reservations
    SHIPPED = "shipped"


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


Terms = tuple[WarehouseId, int, float | None, int | None, int | None]
"""A warehouse's id, rank, distance in km and its prices a parcel and a unit, to one destination."""


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
    terms: dict[tuple[str | None, str | None], tuple[Terms, ...]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    """What `allocate` has worked out from this pool, by country and start of the postcode."""

    def rank_of(self, warehouse_id: int) -> int:
        return next((w.rank for w in self.pool if w.warehouse_id == warehouse_id), len(self.pool))


@dataclass(frozen=True, slots=True)
class ListingView:
    """What order lines of a listing are made of. `listing_id` None: they do not lower its number, only its goods."""

    listing_id: int | None
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
    by_channel: bool = False  # the channel ships it from stock of its own: nothing of it is ours to reserve
    parked: str | None = None
    unit_price_minor: int | None = None
    currency: str | None = None
    held: dict[int, int] = field(default_factory=dict)  # open units, whatever their stage
    handed_over: dict[tuple[int, Stage], int] = field(default_factory=dict)  # of these, submitted or accepted
    shipped_from: dict[int, int] = field(default_factory=dict)
    short: int = 0
    short_reason: ShortageReason | None = None

    @property
    def open_units(self) -> int:
        """Units promised and not yet gone: held or short."""
        return sum(self.held.values()) + self.short

    @property
    def wanted_units(self) -> int:
        """Units that are still to leave from warehouses of ours."""
        return 0 if self.by_channel else max(0, self.quantity - max(self.fulfilled, self.shipped))

    @property
    def is_done(self) -> bool:
        """Whether nothing of the line is still to leave, from wherever."""
        return not (self.parked or self.wanted_units or (self.by_channel and self.fulfilled < self.quantity))

    def handed(self, warehouse_id: int) -> int:
        """Units that a warehouse was asked to ship and that have not left."""
        return sum(units for (asked, _), units in self.handed_over.items() if asked == warehouse_id)

    def untold(self, warehouse_id: int) -> int:
        """Units reserved in a warehouse that it was not asked to ship."""
        return self.held.get(warehouse_id, 0) - self.handed(warehouse_id)

    def hand_over(self, warehouse_id: int, units: int) -> None:
        """Note that a warehouse is asked to ship so many more of the units reserved there."""
        self._move(warehouse_id, Stage.SUBMITTED, units)

    def accept(self, warehouse_id: int) -> None:
        """Note that the warehouse counts what it was asked to ship in its own reservations."""
        units = self.handed_over.get((warehouse_id, Stage.SUBMITTED), 0)
        self._move(warehouse_id, Stage.SUBMITTED, -units)
        self._move(warehouse_id, Stage.ACCEPTED, units)

    def take_back(self, warehouse_id: int) -> None:
        """Note that the warehouse will not ship what it was asked to: it is reserved as before."""
        for stage in (Stage.SUBMITTED, Stage.ACCEPTED):
            self._move(warehouse_id, stage, -self.handed_over.get((warehouse_id, stage), 0))

    def spend(self, warehouse_id: int, stage: Stage, units: int) -> None:
        """Take units of a stage out of the reservation: they have left, or are released."""
        if stage is not Stage.HELD:
            self._move(warehouse_id, stage, -units)
        self.held[warehouse_id] -= units

    def _move(self, warehouse_id: int, stage: Stage, units: int) -> None:
        if units:
            self.handed_over[(warehouse_id, stage)] = self.handed_over.get((warehouse_id, stage), 0) + units

    def stages(self) -> Iterator[tuple[int, Stage, int]]:
        """(warehouse_id, stage, units) of every reservation."""
        for (warehouse_id, stage), units in sorted(self.handed_over.items()):
            yield warehouse_id, stage, units
        for warehouse_id in self.held:
            yield warehouse_id, Stage.HELD, self.untold(warehouse_id)
        for warehouse_id, units in self.shipped_from.items():
            yield warehouse_id, Stage.SHIPPED, units


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
    standing: OrderStanding = OrderStanding.OPEN
    planned: set[int] = field(default_factory=set)  # warehouses with a shipment request that was never sent
    lines: dict[str, LineBook] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether every unit has left."""
        return bool(self.lines) and all(line.is_done for line in self.lines.values())


Listings = Mapping[tuple[int, str], ListingView]
"""By (account_id, line_key), as order lines have it."""
