"""Which access scope opens what."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.shopify.sandbox.errors import access_denied
from adapters.shopify.sandbox.shop import Shop

KIND_SCOPES: Mapping[str, str] = {
    "InventoryItem": "read_inventory",
    "InventoryLevel": "read_inventory",
    "Location": "read_locations",
    "Order": "read_orders",
    "ProductVariant": "read_products",
    "Refund": "read_orders",
}

ROOT_SCOPES: Mapping[str, str] = {
    "inventoryActivate": "write_inventory",
    "inventorySetQuantities": "write_inventory",
    "locations": "read_locations",
    "orders": "read_orders",
    "productVariants": "read_products",
}


def require(shop: Shop, scope: str | None) -> None:
    """Refuse a field whose scope the app was not granted. A write scope includes reading."""
    granted = shop.seed.scopes
    if scope is None or scope in granted or scope.replace("read_", "write_", 1) in granted:
        return
    raise access_denied()
