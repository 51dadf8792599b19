"""What a sandbox account is like on the day it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.shipbob.sandbox.faults import FaultMix

ALL_SCOPES = (
    "channels_read",
    "fulfillments_read",
    "inventory_read",
    "locations_read",
    "orders_read",
    "orders_write",
    "products_read",
    "webhooks_read",
    "webhooks_write",
)


@dataclass(frozen=True, slots=True)
class ItemSeed:
    """A product with one inventory item. `on_hand` is at the first location, `elsewhere` by location name."""

    sku: str
    name: str = ""
    on_hand: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocationSeed:
    """A further fulfilment centre."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class WarehouseSeed:
    """One account with one token and channel, and the limits the vendor sets. Durations are the seller's seconds."""

    token: str = "sandbox-token"  # noqa: S105  opens nothing but this sandbox
    channel_id: int = 128944
    channel_name: str = "syncd"
    scopes: tuple[str, ...] = ALL_SCOPES
    location_id: int = 8
    location_name: str = "Cicero (IL)"
    more_locations: tuple[LocationSeed, ...] = ()
    items: tuple[ItemSeed, ...] = ()

    pick_after_s: tuple[float, float] = (600.0, 3600.0)  # from acceptance; from then on it is too late to cancel
    ship_after_s: tuple[float, float] = (1200.0, 7200.0)  # from the beginning of the picking

    api_version: str = "2026-01"
    calls_a_minute: int = 150
    index_lag_s: float = 0.0  # an order shows up in lists after up to this long
    allow_http_urls: bool = True  # False: webhook addresses must be https, as live

    faults: FaultMix = field(default_factory=FaultMix)
