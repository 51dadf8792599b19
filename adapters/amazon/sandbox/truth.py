"""What the control face reports: the account as it really is, not as any request gets to see it."""

from __future__ import annotations

from adapters.amazon.sandbox.courier import Courier
from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.instants import printed
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.amazon.sandbox.records import Order, OrderItem
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.submissions import Submissions


def truth_report(
    seller: Seller, submissions: Submissions, courier: Courier, queue: MessageQueue, *, orders: bool = True
) -> Json:
    """Every order, unless they are left out, every merchant's number, and what lies at FBA.

    A delivery is pending until a consumer has deleted the message.
    """
    submissions.settle()
    items = list(seller.items.values())
    return {
        "orders_accepted": len(seller.orders),
        **({"orders": [order_report(order) for order in seller.orders.values()]} if orders else {}),
        "levels": [
            {"sku": item.sku, "channel_sku": item.sku, "channel_location": MFN_CHANNEL, "available": item.offered.now}
            for item in items
            if item.offered is not None
        ],
        "fba": [
            {"sku": item.sku, "fulfillable": item.fba.fulfillable, "unfulfillable": item.fba.unfulfillable}
            for item in items
            if item.fba is not None
        ],
        "writes_pending": submissions.waiting,
        "deliveries_pending": courier.pending + len(queue),
    }


def stats_report(stats: Stats, courier: Courier, queue: MessageQueue, faults: Faults) -> Json:
    return {
        "requests": dict(stats.requests),
        "throttled": stats.throttled,
        "writes_accepted": stats.writes_accepted,
        "writes_applied": stats.writes_applied,
        "fba_skus_offered": stats.fba_skus_offered,
        "faults": dict(faults.met),
        "webhooks": {
            "sent": courier.counts["sent"],
            "failed": 0,  # a queue takes everything
            "pending": courier.pending + len(queue),
            "dropped": courier.counts["dropped"],
            "duplicated": courier.counts["duplicated"],
        },
    }


def order_report(order: Order) -> Json:
    return {
        "id": order.id,
        "name": order.id,
        "created_at": printed(order.created_at),
        "updated_at": printed(order.updated_at),
        "status": order.status.value,
        "cancelled": order.cancelled,
        "paid": order.paid,
        "lines": [_line(order, item) for item in order.items],
    }


def _line(order: Order, item: OrderItem) -> Json:
    return {
        "id": item.id,
        "sku": item.item.sku,
        "quantity": item.quantity,
        "current_quantity": item.current,
        "fulfilled": item.shipped,
        "by_channel": order.by_channel,
    }
