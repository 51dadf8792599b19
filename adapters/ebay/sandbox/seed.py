"""What a sandbox seller is like on the day the account opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.ebay.sandbox.faults import FaultMix

_SCOPE = "https://api.ebay.com/oauth/api_scope"  # the name of a scope, never an address to call
BASE_SCOPE = _SCOPE
INVENTORY_SCOPE = f"{_SCOPE}/sell.inventory"
FULFILLMENT_SCOPE = f"{_SCOPE}/sell.fulfillment"
SUBSCRIPTION_SCOPE = f"{_SCOPE}/commerce.notification.subscription"
ACCOUNT_SCOPE = f"{_SCOPE}/sell.account"
ACCOUNT_READ_SCOPE = f"{_SCOPE}/sell.account.readonly"
ALL_SCOPES = (BASE_SCOPE, INVENTORY_SCOPE, FULFILLMENT_SCOPE, SUBSCRIPTION_SCOPE, ACCOUNT_READ_SCOPE)


class Format(StrEnum):
    FIXED_PRICE = "FIXED_PRICE"
    AUCTION = "AUCTION"


@dataclass(frozen=True, slots=True)
class ItemSeed:
    """An inventory item with one published offer. Both numbers begin at `quantity`.

    `capped` False: the offer never had a number of its own, so the item's alone applies. Items of one `group` are the
    variations of one listing. `in_inventory` False: the listing was made by other means than the Inventory API, which
    then does not know it, and its order lines carry no SKU.
    """

    sku: str
    title: str = ""
    quantity: int = 0
    gtin: str | None = None
    price: str = "10.00"
    format: Format = Format.FIXED_PRICE
    capped: bool = True
    group: str | None = None
    in_inventory: bool = True


@dataclass(frozen=True, slots=True)
class SellerSeed:
    """One seller on one marketplace, one keyset, and the limits the vendor sets. Durations are the seller's seconds."""

    seller_id: str = "red-clock"
    marketplace_id: str = "EBAY_US"
    currency: str = "USD"
    timezone: str = "America/Los_Angeles"  # whose midnight begins a new day of quotas and revisions
    items: tuple[ItemSeed, ...] = ()

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  opens nothing but this sandbox
    refresh_token: str = "v^1.1#sandbox-refresh-token"  # noqa: S105  neither does this
    authorization_code: str | None = None  # what the consent page would hand over; good once
    ru_name: str = "Red_Clock-RedClock-syncd-abcdef"
    scopes: tuple[str, ...] = ALL_SCOPES  # what the seller has consented to
    token_life_s: float = 7200

    index_lag_s: float = 30.0  # an order or a change of one shows up after up to this long
    item_follows_sale: bool = True  # False: a sale lowers the offer's number only
    immediate_payment: bool = False  # True: nobody can buy without paying at once
    item_row_apart: bool = False  # True: an entry with k offers is answered by 1 + k rows
    alert_email: str | None = "alerts@red-clock.test"  # as set in the developer portal; None: not yet
    out_of_stock_control: bool = True  # what the preference says; a listing here outlives 0 either way
    order_push: bool = True  # False: there is no topic ORDER_CONFIRMATION
    write_latency_s: float = 0.2  # a bulk write is in flight for this long before it takes effect
    revisions_a_day: int = 250  # per listing (sell_inventory 1.18.5, bulkUpdatePriceQuantity)
    daily_quotas: Mapping[str, int] = field(default_factory=dict)  # in place of quotas.DAILY, by the same names
    allow_http_endpoints: bool = True  # False: notification endpoints must be https, as live

    faults: FaultMix = field(default_factory=FaultMix)
