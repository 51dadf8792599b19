"""What an order says when it is sent to ShipBob. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC

from adapters.contract import Address, Rejected
from adapters.shipbob.settings import ShipbobSettings
from adapters.warehouse import ShipmentOrder

_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,300}")
_LONGEST_NAME = 300
_LONGEST_ORDER_NAME = 400


def order_body(order: ShipmentOrder, settings: ShipbobSettings) -> Mapping[str, object]:
    """The JSON of POST order. Raises Rejected for what ShipBob would surely refuse, before anything is sent."""
    return {
        "reference_id": checked_reference(order.reference),
        "order_number": order.order_name[:_LONGEST_ORDER_NAME] or order.reference,
        "type": "DTC",
        "shipping_method": settings.shipping_method,
        "location_id": settings.location_id,
        "purchase_date": order.placed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "recipient": _recipient(order.ship_to),
        "products": _products(order),
    }


def is_reference(value: str | None) -> bool:
    """Whether this could be a reference of ours: letters, digits and hyphens."""
    return value is not None and _REFERENCE.fullmatch(value) is not None


def checked_reference(value: str) -> str:
    if not is_reference(value):
        raise Rejected("reference_id", "must be 1 to 300 letters, digits and hyphens")
    return value


def _recipient(ship_to: Address) -> Mapping[str, object]:
    street = [line.strip() for line in ship_to.lines if line.strip()]
    return {
        "name": _given(ship_to.name, "recipient.name")[:_LONGEST_NAME],
        "address": {
            "address1": _given(street[0] if street else None, "recipient.address.address1"),
            "address2": ", ".join(street[1:]) or None,
            "city": _given(ship_to.city, "recipient.address.city"),
            "state": ship_to.province,
            "zip_code": ship_to.postcode,
            "country": _given(ship_to.country, "recipient.address.country"),
        },
    }


def _products(order: ShipmentOrder) -> list[Mapping[str, object]]:
    """One product a SKU: ShipBob knows a product of an order by its SKU alone."""
    titles: dict[str, str] = {}
    quantities: dict[str, int] = {}
    for line in order.lines:
        if line.quantity < 1:
            raise Rejected("products.quantity", f"{line.warehouse_sku}: must be at least 1")
        titles[line.warehouse_sku] = titles.get(line.warehouse_sku) or line.title or line.warehouse_sku
        quantities[line.warehouse_sku] = quantities.get(line.warehouse_sku, 0) + line.quantity
    if not quantities:
        raise Rejected("products", "an order needs at least one")
    return [{"reference_id": sku, "name": titles[sku], "quantity": quantity} for sku, quantity in quantities.items()]


def _given(value: str | None, field: str) -> str:
    if value is None or not value.strip():
        raise Rejected(field, "is missing")
    return value.strip()
