"""What the control face reports: the shop as it really is, not as any request gets to see it."""

from __future__ import annotations

from adapters.shopify.sandbox.deliveries import Deliveries
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.faults import Faults
from adapters.shopify.sandbox.ids import gid
from adapters.shopify.sandbox.inventory_views import instant
from adapters.shopify.sandbox.records import Item, Level, Line, Order
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.subscriptions import Subscription


def truth_report(shop: Shop, deliveries: Deliveries, *, orders: bool = True) -> Json:
    """Every order, unless they are left out, and every level. Ids are decimal texts, because they pass 2**53."""
    return {
        "orders_accepted": len(shop.orders),
        **({"orders": [order_report(order) for order in shop.orders.values()]} if orders else {}),
        "levels": [_level(item, level) for item in shop.items.values() for level in item.levels.values()],
        "deliveries_pending": deliveries.pending,
    }


def stats_report(stats: Stats, deliveries: Deliveries, faults: Faults) -> Json:
    return {
        "requests": dict(stats.requests),
        "throttled": stats.throttled,
        "writes_applied": stats.writes_applied,
        "stale": stats.rows_stale,
        "replays": stats.replays,
        "faults": dict(faults.met),
        "webhooks": {
            "sent": deliveries.counts["sent"],
            "failed": deliveries.counts["failed"],
            "pending": deliveries.pending,
            "dropped": deliveries.counts["dropped"],
            "duplicated": deliveries.counts["duplicated"],
            "subscriptions_deleted": deliveries.counts["subscriptions_deleted"],
        },
    }


def subscription_report(subscription: Subscription) -> Json:
    return {"id": str(subscription.id), "topic": subscription.topic.value, "uri": subscription.uri}


def order_report(order: Order) -> Json:
    return {
        "id": str(order.id),
        "name": order.name,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at),
        "cancelled": order.cancelled_at is not None,
        "paid": True,
        "lines": [_line(line) for line in order.lines],
    }


def _line(line: Line) -> Json:
    return {
        "id": str(line.id),
        "sku": line.sku,
        "quantity": line.quantity,
        "current_quantity": line.current,
        "fulfilled": line.fulfilled,
        "by_channel": False,
    }


def _level(item: Item, level: Level) -> Json:
    return {
        "sku": item.sku,
        "channel_sku": gid("InventoryItem", item.id),
        "channel_location": gid("Location", level.location_id),
        "inventory_item_id": str(item.id),
        "variant_id": str(item.variant_id),
        "location_id": str(level.location_id),
        "available": level.now.available,
        "on_hand": level.now.on_hand,
        "committed": level.now.committed,
    }
