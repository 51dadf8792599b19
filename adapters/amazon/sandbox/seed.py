"""What a sandbox seller is like on the day the account is opened."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.amazon.sandbox.faults import FaultMix

Spread = float | tuple[float, float]  # always so long, or anything between two durations


@dataclass(frozen=True, slots=True)
class ItemSeed:
    """One seller SKU.

    `quantity` is what the merchant offers, None for a SKU that only FBA sells; `fba_quantity` is what lies fulfillable
    at Amazon, None for a SKU that FBA does not know. What is not given of asin and gtin is made up.
    """

    sku: str
    title: str = ""
    quantity: int | None = 0
    fba_quantity: int | None = None
    asin: str | None = None
    gtin: str | None = None
    price: str = "10.00"
    product_type: str = "HOME"
    lead_time_days: int | None = 3  # None: the listing was made without one


@dataclass(frozen=True, slots=True)
class SellerSeed:
    """One seller in one region with one marketplace and one application. Durations are the seller's seconds."""

    seller_id: str = "A2SANDBOXSELLER"
    marketplace_id: str = "ATVPDKIKX0DER"
    currency: str = "USD"
    timezone: str = "America/Los_Angeles"
    items: tuple[ItemSeed, ...] = ()

    client_id: str = "amzn1.application-oa2-client.sandbox"
    client_secret: str = "amzn1.oa2-cs.v1.sandbox"  # noqa: S105  opens nothing but this sandbox
    refresh_token: str = "Atzr|sandbox"  # noqa: S105
    token_life_s: float = 3600.0

    queue_access_key_id: str | None = None  # None: the queue takes any signature
    order_notifications: bool = True  # False: nothing subscribed the queue to ORDER_CHANGE
    gross_notifications: bool = False  # True: they tell what was ordered, cancelled units too

    visibility_lag_s: Spread = (120.0, 180.0)  # how long until searchOrders knows of a change
    apply_delay_s: Spread = (5.0, 60.0)  # how long an ACCEPTED patch takes to show
    cancelled_units_leave_ordered: bool = False  # True: quantityOrdered falls too when units are cancelled

    faults: FaultMix = field(default_factory=FaultMix)


def spread(duration: Spread) -> tuple[float, float]:
    """(shortest, longest)."""
    return duration if isinstance(duration, tuple) else (duration, duration)
