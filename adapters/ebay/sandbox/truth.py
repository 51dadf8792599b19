"""What the control face reports: the account as it really is, not as any request gets to see it."""

from __future__ import annotations

from adapters.ebay.sandbox.deliveries import Deliveries
from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.faults import Faults
from adapters.ebay.sandbox.instants import printed
from adapters.ebay.sandbox.records import Line, Offer, Order
from adapters.ebay.sandbox.seed import SellerSeed
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.stats import Stats


def truth_report(seller: Seller, deliveries: Deliveries, *, orders: bool = True) -> Json:
    """Every purchase, unless they are left out, and every level.

    A purchase counts as accepted once it is paid, cancelled later or not.
    """
    return {
        "orders_accepted": sum(order.paid_at is not None for order in seller.orders.values()),
        **({"orders": [order_report(order) for order in seller.orders.values()]} if orders else {}),
        "levels": [_level(offer, seller.seed) for offer in seller.inventory()],
        "deliveries_pending": deliveries.pending,
    }


def stats_report(stats: Stats, deliveries: Deliveries, faults: Faults) -> Json:
    told = ("sent", "failed", "dropped", "duplicated", "forged", "given_up")
    return {
        "requests": dict(stats.requests),
        "throttled": stats.throttled,
        "writes_applied": stats.writes_applied,
        "faults": dict(faults.met),
        "webhooks": {**{name: deliveries.counts[name] for name in told}, "pending": deliveries.pending},
    }


def order_report(order: Order) -> Json:
    return {
        "id": order.id,
        "name": order.id,
        "created_at": printed(order.created_at),
        "updated_at": printed(order.modified_at),
        "cancelled": order.cancelled_at is not None,
        "paid": order.paid_at is not None,
        "lines": [_line(order, line) for line in order.lines],
    }


def _line(order: Order, line: Line) -> Json:
    return {
        "id": line.id,
        "sku": line.offer.item.sku,
        "quantity": line.quantity,
        "current_quantity": 0 if order.cancelled_at is not None else line.quantity,
        "fulfilled": line.shipped,
        "by_channel": False,
    }


def _level(offer: Offer, seed: SellerSeed) -> Json:
    return {
        "sku": offer.item.sku,
        "channel_sku": offer.item.sku,
        "channel_location": seed.marketplace_id,
        "available": offer.live(),
        "item_quantity": offer.item.quantity.now,
        "offer_quantity": offer.cap.now if offer.cap is not None else None,
        "offer_id": offer.id,
        "listing_id": offer.listing_id,
    }
