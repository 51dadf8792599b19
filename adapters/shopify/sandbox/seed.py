"""What a sandbox shop is like on the day it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.shopify.sandbox.faults import FaultMix

API_VERSION = "2026-10"

ALL_SCOPES = (
    "read_orders",
    "read_all_orders",
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_fulfillments",
)


class Policy(StrEnum):
    """What the shop does when an item is sold out."""

    DENY = "DENY"
    CONTINUE = "CONTINUE"


@dataclass(frozen=True, slots=True)
class LocationSeed:
    """A place that holds stock. `service` names the fulfilment service that runs it, if one does."""

    name: str = "Warehouse"
    active: bool = True
    fulfills_online_orders: bool = True
    service: str | None = None
    service_owns_stock: bool = False
    city: str | None = "Hamburg"
    country: str = "DE"
    province: str | None = None
    zip: str | None = "20095"


@dataclass(frozen=True, slots=True)
class ItemSeed:
    """A variant and its inventory item. `quantity` is available at the first location, `elsewhere` by location name."""

    sku: str
    title: str = ""
    barcode: str | None = None
    quantity: int = 0
    policy: Policy = Policy.DENY
    tracked: bool = True
    price: str = "10.00"
    requires_components: bool = False
    requires_shipping: bool = True
    elsewhere: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShopSeed:
    """One shop, one installed app, and the limits the vendor sets them. Durations are the seller's seconds."""

    domain: str = "red-clock.myshopify.com"
    name: str = "Red Clock"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    plan: str = "Basic"
    locations: tuple[LocationSeed, ...] = (LocationSeed(),)
    items: tuple[ItemSeed, ...] = ()

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  opens nothing but this sandbox
    access_token: str | None = None  # a merchant-installed app's token; it never expires
    scopes: tuple[str, ...] = ALL_SCOPES
    protected_data_approved: bool = True  # False: shipping addresses come back null
    token_life_s: float = 86_399

    bucket_size: float = 2000  # shopify.dev rate limits, seen live on a 100/s store, April to July 2026
    restore_per_s: float = 100
    index_lag_s: float = 20.0  # an order shows up in searches after up to this long
    write_latency_s: float = 0.1  # a write is in flight for this long before it takes effect
    stale_names_row: bool = True  # False: CHANGE_FROM_QUANTITY_STALE comes without a `field`
    allow_http_uris: bool = True  # False: webhook addresses must be https, as live
    webhook_api_version: str = API_VERSION

    faults: FaultMix = field(default_factory=FaultMix)
