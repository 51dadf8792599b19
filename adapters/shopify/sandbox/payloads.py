"""Webhook bodies: the REST shape of an order, a refund and a level, with plain numbers for ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.ids import gid, level_gid
from adapters.shopify.sandbox.records import Address, Fulfillment, Item, Level, Line, Order, Refund, RestockType

_FULFILLMENT_STATUS = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial", "FULFILLED": "fulfilled"}


class Payloads:
    """Renders records as the shop's webhooks show them, with instants in the shop's own time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def order(self, order: Order) -> Json:
        return {
            "id": order.id,
            "admin_graphql_api_id": gid("Order", order.id),
            "app_id": 580111,
            "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
            "cancelled_at": self._instant(order.cancelled_at),
            "closed_at": self._instant(order.closed_at),
            "confirmed": True,
            "created_at": self._instant(order.created_at),
            "currency": order.currency,
            "financial_status": order.financial_status.lower(),
            "fulfillment_status": _FULFILLMENT_STATUS[order.fulfillment_status],
            "location_id": None,
            "name": order.name,
            "note": order.note,
            "number": order.number - 1000,
            "order_number": order.number,
            "processed_at": self._instant(order.created_at),
            "source_identifier": None,
            "source_name": "web",
            "tags": "",
            "test": order.test,
            "total_price": _total(order),
            "updated_at": self._instant(order.updated_at),
            "fulfillments": [self._fulfillment(order, shipment) for shipment in order.fulfillments],
            "line_items": [self._line(line) for line in order.lines],
            "refunds": [self.refund(order, refund) for refund in order.refunds],
            "shipping_address": _address(order.ship_to),
            "shipping_lines": [],
        }

    def refund(self, order: Order, refund: Refund) -> Json:
        return {
            "id": refund.id,
            "admin_graphql_api_id": gid("Refund", refund.id),
            "created_at": self._instant(refund.created_at),
            "note": refund.note,
            "order_id": order.id,
            "processed_at": self._instant(refund.created_at),
            "restock": any(line.restock_type is not RestockType.NO_RESTOCK for line in refund.lines),
            "user_id": None,
            "transactions": [],
            "order_adjustments": [],
            "refund_line_items": [
                {
                    "id": part.id,
                    "line_item_id": part.line.id,
                    "line_item": self._line(part.line),
                    "location_id": part.location_id,
                    "quantity": part.quantity,
                    "restock_type": part.restock_type.lower(),
                }
                for part in refund.lines
            ],
        }

    def edit(self, order: Order, edit_id: int, deltas: Mapping[int, int]) -> Json:
        """What an edit did to each line, by line id; it does not say what became of removed units."""
        return {
            "order_edit": {
                "id": edit_id,
                "app_id": None,
                "created_at": self._instant(order.updated_at),
                "notify_customer": False,
                "order_id": order.id,
                "staff_note": "",
                "user_id": None,
                "line_items": {
                    "additions": [{"id": line, "delta": delta} for line, delta in deltas.items() if delta > 0],
                    "removals": [{"id": line, "delta": -delta} for line, delta in deltas.items() if delta < 0],
                },
                "shipping_lines": {"additions": [], "removals": []},
            }
        }

    def level(self, item: Item, level: Level) -> Json:
        """A level as it stands; an item that is not tracked shows no number."""
        return {
            "inventory_item_id": item.id,
            "location_id": level.location_id,
            "available": level.now.available if item.tracked else None,
            "updated_at": self._instant(level.now.at),
            "admin_graphql_api_id": level_gid(level.id, item.id),
        }

    def _line(self, line: Line) -> Json:
        item = line.item
        shipped = _FULFILLMENT_STATUS["FULFILLED"] if not line.unfulfilled else "partial"
        return {
            "id": line.id,
            "admin_graphql_api_id": gid("LineItem", line.id),
            "current_quantity": line.current,
            "fulfillable_quantity": line.unfulfilled,
            "fulfillment_service": "manual",
            "fulfillment_status": shipped if line.fulfilled else None,
            "gift_card": False,
            "grams": 0,
            "name": line.title,
            "price": line.price,
            "product_exists": item is not None,
            "product_id": item.product_id if item else None,
            "properties": [],
            "quantity": line.quantity,
            "requires_shipping": item.requires_shipping if item else True,
            "sku": line.sku,
            "taxable": True,
            "title": line.title,
            "variant_id": item.variant_id if item else None,
            "variant_inventory_management": "shopify" if item and item.tracked else None,
            "variant_title": None,
            "vendor": None,
        }

    def _fulfillment(self, order: Order, shipment: Fulfillment) -> Json:
        return {
            "id": shipment.id,
            "admin_graphql_api_id": gid("Fulfillment", shipment.id),
            "created_at": self._instant(shipment.created_at),
            "location_id": shipment.location_id,
            "name": shipment.name,
            "order_id": order.id,
            "status": "success",
            "tracking_number": None,
            "updated_at": self._instant(shipment.created_at),
            "line_items": [{**self._line(line), "quantity": quantity} for line, quantity in shipment.lines],
        }

    def _instant(self, instant: datetime | None) -> str | None:
        return instant.astimezone(self._zone).isoformat(timespec="seconds") if instant is not None else None


def _total(order: Order) -> str:
    return str(sum((Decimal(line.price) * line.quantity for line in order.lines), Decimal(0)))


def _address(address: Address | None) -> Json | None:
    if address is None:
        return None
    first, _, last = (address.name or "").rpartition(" ")
    return {
        "first_name": first or None,
        "last_name": last or None,
        "name": address.name,
        "company": None,
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "zip": address.zip,
        "province": address.province,
        "province_code": address.province,
        "country": address.country,
        "country_code": address.country,
        "phone": address.phone,
        "latitude": None,
        "longitude": None,
    }
