"""ORDER_CHANGE: what Amazon tells of an order's change, in version 1.0 of the payload."""

from __future__ import annotations

from datetime import timedelta

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.instants import printed_ms
from adapters.amazon.sandbox.order_views import DAYS_TO_SHIP
from adapters.amazon.sandbox.records import Order, OrderItem, Status
from adapters.amazon.sandbox.seller import Seller

# The notification spells an order's status as the old API did.
_STATUS = {
    Status.PENDING: "Pending",
    Status.UNSHIPPED: "Unshipped",
    Status.PARTIALLY_SHIPPED: "PartiallyShipped",
    Status.SHIPPED: "Shipped",
    Status.CANCELLED: "Canceled",
}


def order_change(seller: Seller, order: Order, reason: str) -> Json:
    """The news of a change that happens now, rendered at once: late deliveries carry the state of their time."""
    now = printed_ms(seller.now())
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": now,
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": seller.seed.seller_id,
                "AmazonOrderId": order.id,
                "OrderChangeType": "OrderStatusChange",
                "OrderChangeTrigger": {"TimeOfOrderChange": now, "ChangeReason": reason},
                "Summary": _summary(seller, order),
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sp.solution.sandbox",
            "SubscriptionId": f"{seller.seed.seller_id}-ORDER_CHANGE",
            "PublishTime": now,
            "NotificationId": str(seller.rng.uuid()),
        },
    }


def _summary(seller: Seller, order: Order) -> Json:
    shipped = sum(item.shipped for item in order.items)
    unshipped = sum(item.unshipped for item in order.items)
    pending = order.status is Status.PENDING
    return {
        "MarketplaceId": seller.marketplace.id,
        "OrderStatus": _STATUS[order.status],
        "PurchaseDate": printed_ms(order.created_at),
        "DestinationPostalCode": None if pending else order.ship_to.zip,
        "FulfillmentType": "AFN" if order.by_channel else "MFN",
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": 0 if pending else shipped,
        "NumberOfItemsUnshipped": 0 if pending else unshipped,  # both are 0 while pending, as in the old API
        "EarliestShipDate": printed_ms(order.created_at),
        "LatestShipDate": printed_ms(order.created_at + timedelta(days=DAYS_TO_SHIP)),
        "OrderItems": [_item(seller, order, item) for item in order.items],
    }


def _item(seller: Seller, order: Order, item: OrderItem) -> Json:
    """Of a cancelled order what was ordered; of others what is still in it, unless the seed has it otherwise."""
    gross = order.cancelled or seller.seed.gross_notifications
    return {
        "OrderItemId": item.id,
        "SellerSKU": item.item.sku,
        "SupplySourceId": None,
        "OrderItemStatus": "Shipped" if item.shipped and not item.unshipped else "Unshipped",
        "Quantity": item.quantity if gross else item.current,
        "QuantityShipped": item.shipped,
        "IsBuyerRequestedCancel": False,
    }
