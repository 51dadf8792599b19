"""Orders, their lines and refunds as GraphQL shows them."""

from __future__ import annotations

from typing import Any

from adapters.shopify.sandbox.context import Info
from adapters.shopify.sandbox.errors import Json, access_denied
from adapters.shopify.sandbox.ids import gid
from adapters.shopify.sandbox.inventory_views import instant, location_view, variant_view
from adapters.shopify.sandbox.paging import list_connection
from adapters.shopify.sandbox.records import Address, Fulfillment, Line, Order, Refund, RefundLine, RestockType


def order_view(order: Order) -> Json:
    def line_items(_: Info, first: int | None = None, after: str | None = None) -> Json:
        return list_connection(
            order.lines, first, after, lambda line: line.id, lambda line: line_view(line, order.currency)
        )

    def refunds(_: Info, first: int | None = None) -> list[Json]:
        return [refund_view(refund, order.currency) for refund in order.refunds[:first]]

    def fulfillments(_: Info, first: int | None = None) -> list[Json]:
        return [_fulfillment_view(shipment) for shipment in order.fulfillments[:first]]

    def shipping_address(info: Info) -> Json | None:
        if not info.context.shop.seed.protected_data_approved:
            raise access_denied()
        return _address_view(order.ship_to)

    return {
        "__typename": "Order",
        "id": gid("Order", order.id),
        "legacyResourceId": str(order.id),
        "name": order.name,
        "number": order.number,
        "createdAt": instant(order.created_at),
        "updatedAt": instant(order.updated_at),
        "processedAt": instant(order.created_at),
        "cancelledAt": instant(order.cancelled_at),
        "cancelReason": order.cancel_reason,
        "closed": order.closed_at is not None,
        "closedAt": instant(order.closed_at),
        "test": order.test,
        "edited": order.edited,
        "note": order.note,
        "sourceName": "web",
        "sourceIdentifier": None,
        "currencyCode": order.currency,
        "requiresShipping": any(line.item is None or line.item.requires_shipping for line in order.lines),
        "displayFinancialStatus": order.financial_status,
        "displayFulfillmentStatus": order.fulfillment_status,
        "shippingAddress": shipping_address,
        "lineItems": line_items,
        "refunds": refunds,
        "fulfillments": fulfillments,
    }


def line_view(line: Line, currency: str) -> Json:
    item = line.item
    price: dict[str, Any] = {"amount": line.price, "currencyCode": currency}
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line.id),
        "sku": line.sku,
        "name": line.title,
        "title": line.title,
        "quantity": line.quantity,
        "currentQuantity": line.current,
        "unfulfilledQuantity": line.unfulfilled,
        "nonFulfillableQuantity": line.released,
        "refundableQuantity": line.current,
        "requiresShipping": item.requires_shipping if item is not None else True,
        "isGiftCard": False,
        "originalUnitPriceSet": {"shopMoney": price, "presentmentMoney": price},
        "variant": (lambda _: variant_view(item)) if item is not None else None,
    }


def refund_view(refund: Refund, currency: str) -> Json:
    def refund_line_items(_: Info, first: int | None = None, after: str | None = None) -> Json:
        return list_connection(
            refund.lines, first, after, lambda part: part.id, lambda part: _refund_line_view(part, currency)
        )

    return {
        "__typename": "Refund",
        "id": gid("Refund", refund.id),
        "legacyResourceId": str(refund.id),
        "createdAt": instant(refund.created_at),
        "updatedAt": instant(refund.created_at),
        "note": refund.note,
        "refundLineItems": refund_line_items,
    }


def _refund_line_view(part: RefundLine, currency: str) -> Json:
    def location(info: Info) -> Json | None:
        return location_view(info.context.shop.locations[part.location_id]) if part.location_id else None

    return {
        "__typename": "RefundLineItem",
        "id": gid("RefundLineItem", part.id),
        "quantity": part.quantity,
        "restockType": part.restock_type.value,
        "restocked": part.restock_type is not RestockType.NO_RESTOCK,
        "location": location,
        "lineItem": lambda _: line_view(part.line, currency),
    }


def _fulfillment_view(shipment: Fulfillment) -> Json:
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", shipment.id),
        "legacyResourceId": str(shipment.id),
        "name": shipment.name,
        "status": "SUCCESS",
        "createdAt": instant(shipment.created_at),
        "updatedAt": instant(shipment.created_at),
        "totalQuantity": sum(quantity for _, quantity in shipment.lines),
        "location": lambda info: location_view(info.context.shop.locations[shipment.location_id]),
    }


def _address_view(address: Address | None) -> Json | None:
    if address is None:
        return None
    first, _, last = (address.name or "").rpartition(" ")
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", address.id) + "?model_name=Address",
        "name": address.name,
        "firstName": first or None,
        "lastName": last or None,
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "province": address.province,
        "provinceCode": address.province,
        "zip": address.zip,
        "country": address.country,
        "countryCodeV2": address.country,
        "phone": address.phone,
    }
