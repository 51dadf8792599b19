"""Orders as the 2026-01-01 API shows them: whole first, then only the datasets that were asked for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.instants import printed
from adapters.amazon.sandbox.records import Order, OrderItem, Package, Status
from adapters.amazon.sandbox.seller import Seller

DAYS_TO_SHIP = 2
DAYS_TO_DELIVER = (3, 6)


class Dataset(StrEnum):
    """What `includedData` may ask for."""

    BUYER = "BUYER"
    RECIPIENT = "RECIPIENT"
    PROCEEDS = "PROCEEDS"
    EXPENSE = "EXPENSE"
    PROMOTION = "PROMOTION"
    CANCELLATION = "CANCELLATION"
    FULFILLMENT = "FULFILLMENT"
    PACKAGES = "PACKAGES"
    TAX = "TAX"
    PAYMENT = "PAYMENT"
    FULFILLMENT_ORDERS = "FULFILLMENT_ORDERS"


# The keys that an order and its items show only when the dataset is asked for; every other key is basic information.
_OF_ORDER = {
    "buyer": Dataset.BUYER,
    "recipient": Dataset.RECIPIENT,
    "proceeds": Dataset.PROCEEDS,
    "fulfillment": Dataset.FULFILLMENT,
    "packages": Dataset.PACKAGES,
}
_OF_ITEM = {
    "proceeds": Dataset.PROCEEDS,
    "cancellation": Dataset.CANCELLATION,
    "fulfillment": Dataset.FULFILLMENT,
}


def gated(whole: Json, asked: Collection[Dataset]) -> Json:
    """The order with no more than the datasets asked for."""
    shown = {key: value for key, value in whole.items() if key not in _OF_ORDER or _OF_ORDER[key] in asked}
    shown["orderItems"] = [
        {key: value for key, value in item.items() if key not in _OF_ITEM or _OF_ITEM[key] in asked}
        for item in whole["orderItems"]
    ]
    return shown


def whole_view(seller: Seller, order: Order) -> Json:
    """Every dataset of an order. No price or address is told before it is paid."""
    view: Json = {
        "orderId": order.id,
        "createdTime": printed(order.created_at),
        "lastUpdatedTime": printed(order.updated_at),
        "programs": ["PRIME"] if order.by_channel else [],
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": seller.marketplace.id,
            "marketplaceName": seller.marketplace.name,
        },
        "fulfillment": _fulfillment(seller, order),
        "orderItems": [_item(seller, order, item) for item in order.items],
    }
    if order.paid and not order.cancelled:
        view["buyer"] = _buyer(seller, order)
        view["recipient"] = {"deliveryAddress": _address(order)}
        view["proceeds"] = {"grandTotal": _money(seller, sum((_total(item) for item in order.items), Decimal()))}
    if order.packages:
        view["packages"] = [_package(package) for package in order.packages.values()]
    return view


def _fulfillment(seller: Seller, order: Order) -> Json:
    shown: Json = {
        "fulfillmentStatus": order.status.value,
        "fulfilledBy": "AMAZON" if order.by_channel else "MERCHANT",
        "fulfillmentServiceLevel": "STANDARD",
    }
    if order.status is not Status.PENDING:
        shown["shipByWindow"] = _window(seller, order, 0, DAYS_TO_SHIP)
        shown["deliverByWindow"] = _window(seller, order, *DAYS_TO_DELIVER)
    return shown


def _window(seller: Seller, order: Order, from_day: int, to_day: int) -> Json:
    """Whole days of the seller's calendar."""
    placed_on = order.created_at.astimezone(seller.zone).replace(hour=0, minute=0, second=0)
    begins = placed_on + timedelta(days=from_day)
    ends = placed_on + timedelta(days=to_day, hours=23, minutes=59, seconds=59)
    return {"earliestDateTime": printed(begins), "latestDateTime": printed(ends)}


def _item(seller: Seller, order: Order, item: OrderItem) -> Json:
    product: Json = {
        "asin": item.item.asin,
        "title": item.item.title,
        "sellerSku": item.item.sku,
        "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
    }
    lowered = seller.seed.cancelled_units_leave_ordered
    view: Json = {
        "orderItemId": item.id,
        "quantityOrdered": item.current if lowered else item.quantity,
        "product": product,
        "fulfillment": {"quantityFulfilled": item.shipped, "quantityUnfulfilled": item.unshipped},
    }
    if order.paid and not order.cancelled:
        product["price"] = {"unitPrice": _money(seller, Decimal(item.price))}
        total = _money(seller, _total(item))
        view["proceeds"] = {"proceedsTotal": total, "breakdowns": [{"type": "ITEM", "subtotal": total}]}
    if item.cancel_reason is not None:
        execution = {"cancelledBy": "MERCHANT", "cancelReason": item.cancel_reason}
        view["cancellation"] = {"cancellationExecution": execution}
    return view


def _buyer(seller: Seller, order: Order) -> Json:
    name = {"buyerName": order.ship_to.name}
    if order.by_channel:
        return name
    domain = seller.marketplace.name.lower().removeprefix("amazon.")
    return {**name, "buyerEmail": f"buyer-{order.id[-7:]}@marketplace.amazon.{domain}"}


def _address(order: Order) -> Json:
    """The whole address of a merchant's order; of FBA's orders only where about it goes."""
    to = order.ship_to
    place: Json = {"city": to.city, "postalCode": to.zip, "countryCode": to.country}
    if to.province is not None:
        place["stateOrRegion"] = to.province
    if order.by_channel:
        return place
    return {"name": to.name, "addressLine1": to.address1, **place, "addressType": "RESIDENTIAL"}


def _package(package: Package) -> Json:
    return {
        "packageReferenceId": package.reference,
        "createdTime": printed(package.at),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrier,
        "shipTime": printed(package.at),
        "shippingService": package.service,
        "trackingNumber": package.tracking,
        "packageItems": [{"orderItemId": item.id, "quantity": units} for item, units in package.contents],
    }


def _total(item: OrderItem) -> Decimal:
    return Decimal(item.price) * item.current


def _money(seller: Seller, amount: Decimal) -> Json:
    return {"amount": str(amount), "currencyCode": seller.seed.currency}
