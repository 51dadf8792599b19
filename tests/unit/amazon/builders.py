"""Orders, notifications, listings and levels as Amazon writes them, with only what a test is about changed."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.amazon.news import NOTIFICATION_TOPIC, resolve
from adapters.contract import News, OrderLine, OrderNews, OrderState, RawEvent
from adapters.events import POLL_TOPIC
from tests.unit.amazon.doubles import HOME, SELLER

Json = dict[str, Any]
ORDER_ID = "903-8868176-2219830"
ITEM_ID = "79039765272157"


def an_item(sku: str | None = "RED-CLOCK", ordered: object = 2, item_id: str = ITEM_ID, **changes: object) -> Json:
    item: Json = {
        "orderItemId": item_id,
        "quantityOrdered": ordered,
        "product": {
            "asin": "B08C1W5N87",
            "title": "Red clock",
            "sellerSku": sku,
            "price": {"unitPrice": {"amount": "19.90", "currencyCode": "USD"}},
        },
        "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": ordered},
    }
    return {**item, **changes}


def an_order(*items: Json, status: object = "UNSHIPPED", fulfilled_by: object = "MERCHANT", **changes: object) -> Json:
    order: Json = {
        "orderId": ORDER_ID,
        "createdTime": "2026-11-22T09:00:00Z",
        "lastUpdatedTime": "2026-11-22T10:00:00Z",
        "programs": [],
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": HOME, "marketplaceName": "Amazon.com"},
        "recipient": {
            "deliveryAddress": {
                "name": "Steve Shipper",
                "addressLine1": "123 Shipping Street",
                "city": "Shippington",
                "stateOrRegion": "KY",
                "postalCode": "40003",
                "countryCode": "US",
            }
        },
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": fulfilled_by},
        "orderItems": list(items) or [an_item()],
    }
    return {**order, **changes}


def sent(fulfilled: int, unfulfilled: int) -> Json:
    return {"quantityFulfilled": fulfilled, "quantityUnfulfilled": unfulfilled}


CANCELLED = {"cancellationExecution": {"cancelledBy": "MERCHANT", "cancelReason": "NoInventory"}}
REQUESTED = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "changed my mind"}}


def a_package(shipped_at: object = "2026-11-22T09:30:00Z", status: str = "SHIPPED") -> Json:
    return {"packageReferenceId": "1", "packageStatus": {"status": status}, "shipTime": shipped_at}


def resolved(order: object) -> News:
    body = order if isinstance(order, bytes) else msgspec.json.encode(order)
    return resolve(RawEvent("order:1", POLL_TOPIC, body))


def state_of(news: News) -> OrderState:
    assert isinstance(news, OrderNews), news
    return news.order


def state(order: Json) -> OrderState:
    return state_of(resolved(order))


def line(order: Json) -> OrderLine:
    (only,) = state(order).lines
    return only


def a_notification(order_change: Json | None = None, summary: Json | None = None, item: Json | None = None) -> Json:
    """An ORDER_CHANGE that says all there is; each argument changes one of its levels."""
    told_item = {
        "OrderItemId": ITEM_ID,
        "SellerSKU": "RED-CLOCK",
        "SupplySourceId": None,
        "Quantity": 2,
        "QuantityShipped": 0,
        **(item or {}),
    }
    told_summary = {
        "MarketplaceId": HOME,
        "OrderStatus": "Unshipped",
        "PurchaseDate": "2026-11-22T09:00:00.000Z",
        "DestinationPostalCode": "40003",
        "FulfillmentType": "MFN",
        "OrderType": "StandardOrder",
        "OrderItems": [told_item],
        **(summary or {}),
    }
    told = {
        "NotificationLevel": "OrderLevel",
        "SellerId": SELLER,
        "AmazonOrderId": ORDER_ID,
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": "2026-11-22T10:00:00.000Z", "ChangeReason": "paid"},
        "Summary": told_summary,
        **(order_change or {}),
    }
    return an_envelope("ORDER_CHANGE", {"OrderChangeNotification": told})


def an_envelope(notification_type: str, payload: object, notification_id: str = "d0e9e693-0001") -> Json:
    return {
        "NotificationVersion": "1.0",
        "NotificationType": notification_type,
        "PayloadVersion": "1.0",
        "EventTime": "2026-11-22T10:00:05.000Z",
        "Payload": payload,
        "NotificationMetadata": {
            "ApplicationId": "app-1",
            "SubscriptionId": "sub-1",
            "PublishTime": "2026-11-22T10:00:05.000Z",
            "NotificationId": notification_id,
        },
    }


def told(notification: object) -> News:
    body = notification if isinstance(notification, bytes) else msgspec.json.encode(notification)
    return resolve(RawEvent("notification:1", NOTIFICATION_TOPIC, body))


def a_listing(sku: str = "RED-CLOCK", quantity: object = 7, code: str = "DEFAULT", **changes: object) -> Json:
    row: Json = {"fulfillmentChannelCode": code}
    if quantity is not None:
        row["quantity"] = quantity
    listing: Json = {
        "sku": sku,
        "summaries": [
            {"marketplaceId": HOME, "itemName": f"The {sku}", "createdDate": "2026-01-01T00:00:00Z", "status": []}
        ],
        "attributes": {
            "externally_assigned_product_identifier": [{"type": "upc", "value": "036000291452", "marketplace_id": HOME}]
        },
        "fulfillmentAvailability": [row],
    }
    return {**listing, **changes}


def a_page(*listings: object, token: str | None = None) -> Json:
    page: Json = {"numberOfResults": len(listings), "items": list(listings)}
    return {**page, "pagination": {"nextToken": token}} if token else page


def a_summary(sku: str = "RED-CLOCK", free: object = 5, unfulfillable: object = 1, **changes: object) -> Json:
    summary: Json = {
        "sellerSku": sku,
        "totalQuantity": 60,
        "inventoryDetails": {
            "fulfillableQuantity": free,
            "inboundShippedQuantity": 40,
            "reservedQuantity": {"totalReservedQuantity": 14},
            "unfulfillableQuantity": {"totalUnfulfillableQuantity": unfulfillable},
        },
    }
    return {**summary, **changes}


def summaries(*rows: object, token: str | None = None) -> Json:
    page: Json = {
        "payload": {
            "granularity": {"granularityType": "Marketplace", "granularityId": HOME},
            "inventorySummaries": list(rows),
        }
    }
    return {**page, "pagination": {"nextToken": token}} if token else page
