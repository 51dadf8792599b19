"""confirmShipment: the seller tells that a parcel of a merchant's order has left."""

from __future__ import annotations

import json
from typing import Any

from adapters.amazon.sandbox.errors import Json, Refusal
from adapters.amazon.sandbox.instants import read_instant
from adapters.amazon.sandbox.order_desk import OrderDesk
from adapters.amazon.sandbox.records import Order, OrderItem, Package, Status
from adapters.amazon.sandbox.seller import Seller

REQUIRED = ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems")


def confirm_shipment(seller: Seller, desk: OrderDesk, order_id: str, body: bytes) -> None:
    """Ship the named units. The same reference once more corrects the parcel and ships nothing again."""
    order = seller.orders.get(order_id)
    if order is None:
        raise Refusal(404, "NotFound", f"Order {order_id} is not found.")
    detail = _detail(seller, body)
    reference = _reference(detail["packageReferenceId"])
    shipped_at = read_instant(str(detail["shipDate"]))
    if shipped_at is None:
        raise _wrong("Invalid Input")
    if order.by_channel or order.status in (Status.PENDING, Status.CANCELLED):
        raise _wrong("The order can't be confirmed: it is not the merchant's to ship.")
    known = order.packages.get(reference)
    contents = known.contents if known is not None else _contents(order, detail["orderItems"])
    service = str(detail.get("shippingMethod") or "Standard")
    carrier = str(detail.get("carrierName") or detail["carrierCode"])
    package = Package(reference, shipped_at, carrier, service, str(detail["trackingNumber"]), contents)
    if known is None:
        desk.confirm(order, package)
    else:
        desk.correct(order, package)


def _detail(seller: Seller, body: bytes) -> Json:
    try:
        request: Any = json.loads(body)
        detail: Any = request["packageDetail"]
        named = request["marketplaceId"]
        missing = [name for name in REQUIRED if name not in detail]
    except (ValueError, KeyError, TypeError):
        raise _wrong("Invalid Input") from None
    if missing or not isinstance(detail, dict):
        raise _wrong(f"Missing {', '.join(missing)}")
    if named != seller.marketplace.id:
        raise _wrong("marketplaceId is not the order's marketplace.")
    if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
        raise _wrong("carrierName is required when carrierCode is Other.")
    return detail


def _reference(given: object) -> str:
    """A positive number as a JSON string; a JSON number is refused since January 2026."""
    if not isinstance(given, str):
        raise _wrong("invalid type [packageDetail.packageReferenceId]")
    if not (given.isascii() and given.isdecimal() and given.strip("0")):
        raise _wrong("PackageReferenceId: is invalid, must be a positive numeric value.")
    return given


def _contents(order: Order, rows: object) -> tuple[tuple[OrderItem, int], ...]:
    """The units named, all of them still to leave."""
    if order.status is Status.SHIPPED:
        message = "Failed to create package due to not finding a matching package or order already fulfilled"
        raise Refusal(400, "PackageToUpdateNotFound", message)
    if not isinstance(rows, list) or not rows:
        raise _wrong("orderItems must hold at least one item.")
    by_id = {item.id: item for item in order.items}
    units: dict[str, int] = {}
    for row in rows:
        item_id, quantity = (row.get("orderItemId"), row.get("quantity")) if isinstance(row, dict) else (None, None)
        if item_id not in by_id or not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
            raise _wrong("orderItems holds an item that is not of this order, or no quantity.")
        units[item_id] = units.get(item_id, 0) + quantity
    for item_id, quantity in units.items():
        if quantity > by_id[item_id].unshipped:
            raise _wrong(f"Only {by_id[item_id].unshipped} of item {item_id} are left to ship.")
    return tuple((by_id[item_id], quantity) for item_id, quantity in units.items())


def _wrong(message: str) -> Refusal:
    return Refusal(400, "InvalidInput", message)
