"""What the control face reports: the account as it really is, not as any request gets to see it."""

from __future__ import annotations

from collections import Counter

from adapters.shipbob.sandbox.deliveries import Deliveries
from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.faults import Faults
from adapters.shipbob.sandbox.records import Item, Json, Level, Order, Status
from adapters.shipbob.sandbox.stats import Stats
from adapters.shipbob.sandbox.views import instant


def truth_report(depot: Depot, deliveries: Deliveries) -> Json:
    """Every level, and every order as one shipment request: `id` is the order's, `reference` the client's."""
    return {
        "levels": [level_report(item, level) for item in depot.items.values() for level in item.levels.values()],
        "shipments": [_order(order) for order in depot.orders.values()],
        "deliveries_pending": deliveries.pending,
    }


def stats_report(stats: Stats, deliveries: Deliveries, faults: Faults) -> Json:
    return {
        "requests": dict(stats.requests),
        "throttled": stats.throttled,
        "writes_applied": stats.writes_applied,
        "duplicates_refused": stats.duplicates_refused,
        "faults": dict(faults.met),
        "webhooks": {
            "sent": deliveries.counts["sent"],
            "failed": deliveries.counts["failed"],
            "pending": deliveries.pending,
            "dropped": deliveries.counts["dropped"],
            "duplicated": deliveries.counts["duplicated"],
            "subscriptions_disabled": deliveries.counts["subscriptions_disabled"],
        },
    }


def level_report(item: Item, level: Level) -> Json:
    return {
        "sku": item.sku,
        "location_id": level.location_id,
        "on_hand": level.now.on_hand,
        "committed": level.now.committed,
        "fulfillable": level.now.fulfillable,
    }


def _order(order: Order) -> Json:
    ordered, shipped = Counter[str](), Counter[str]()
    for line in order.lines:
        ordered[line.item.sku] += line.quantity
    for shipment in order.shipments:
        if shipment.status is Status.COMPLETED:
            for line in shipment.lines:
                shipped[line.item.sku] += line.quantity
    return {
        "id": str(order.id),
        "reference": order.reference,
        "status": order.status,
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at),
        "lines": [{"sku": sku, "quantity": wanted, "shipped": shipped[sku]} for sku, wanted in ordered.items()],
        "parts": [{"id": str(one.id), "status": one.status.value, "picking": one.picking} for one in order.shipments],
    }
