"""Items, levels and locations as GraphQL shows them.

A view is a dict by field name; a field that takes arguments, or that leads to another record, is a callable that
graphql-core calls with the request and the arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.shopify.sandbox.context import Info
from adapters.shopify.sandbox.errors import Json, VendorError
from adapters.shopify.sandbox.ids import gid, level_gid, number_of
from adapters.shopify.sandbox.paging import list_connection
from adapters.shopify.sandbox.records import Item, Level, Location

QUANTITY_NAMES = (
    "available",
    "on_hand",
    "committed",
    "reserved",
    "incoming",
    "damaged",
    "quality_control",
    "safety_stock",
)


def instant(at: datetime | None) -> str | None:
    """An instant as GraphQL prints it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def location_view(location: Location) -> Json:
    def inventory_level(info: Info, inventoryItemId: str, includeInactive: bool = False) -> Json | None:
        shop = info.context.shop
        item = shop.items.get(number_of(inventoryItemId, "InventoryItem") or 0)
        level = item.levels.get(location.id) if item is not None else None
        return level_view(level) if level is not None and (level.active or includeInactive) else None

    def inventory_levels(
        info: Info, first: int | None = None, after: str | None = None, includeInactive: bool = False
    ) -> Json:
        here = [level for level in info.context.shop.levels.values() if level.location_id == location.id]
        return _levels(here, first, after, includeInactive)

    return {
        "__typename": "Location",
        "id": gid("Location", location.id),
        "legacyResourceId": str(location.id),
        "name": location.name,
        "isActive": location.active,
        "fulfillsOnlineOrders": location.fulfills_online_orders,
        "shipsInventory": location.fulfills_online_orders,
        "isFulfillmentService": location.service is not None,
        "fulfillmentService": _service_view(location),
        "createdAt": instant(location.created_at),
        "address": {
            "city": location.city,
            "countryCode": location.country,
            "provinceCode": location.province,
            "zip": location.zip,
        },
        "inventoryLevel": inventory_level,
        "inventoryLevels": inventory_levels,
    }


def level_view(level: Level) -> Json:
    def quantities(info: Info, names: Sequence[str]) -> list[Json]:
        shown = info.context.shown(level)
        by_name = {"available": shown.available, "on_hand": shown.on_hand, "committed": shown.committed}
        unknown = [name for name in names if name not in QUANTITY_NAMES]
        if unknown:
            raise VendorError(f"Quantity name is invalid: {', '.join(unknown)}", "BAD_REQUEST")
        return [
            {
                "id": f"gid://shopify/InventoryQuantity/{level.id}?inventory_item_id={level.item_id}&name={name}",
                "name": name,
                "quantity": by_name.get(name, 0),
                # Live captures show null for most names and an instant for available.
                "updatedAt": instant(shown.at) if name == "available" else None,
            }
            for name in names
        ]

    return {
        "__typename": "InventoryLevel",
        "id": level_gid(level.id, level.item_id),
        "isActive": level.active,
        "createdAt": instant(level.created_at),
        "updatedAt": lambda info: instant(info.context.shown(level).at),
        "item": lambda info: item_view(info.context.shop.items[level.item_id]),
        "location": lambda info: location_view(info.context.shop.locations[level.location_id]),
        "quantities": quantities,
    }


def item_view(item: Item) -> Json:
    def inventory_level(_: Info, locationId: str, includeInactive: bool = False) -> Json | None:
        level = item.levels.get(number_of(locationId, "Location") or 0)
        return level_view(level) if level is not None and (level.active or includeInactive) else None

    def inventory_levels(
        _: Info, first: int | None = None, after: str | None = None, includeInactive: bool = False
    ) -> Json:
        return _levels(list(item.levels.values()), first, after, includeInactive)

    def variants(_: Info, first: int | None = None, after: str | None = None) -> Json:
        return list_connection([item], first, after, lambda it: it.variant_id, variant_view)

    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", item.id),
        "legacyResourceId": str(item.id),
        "sku": item.sku,
        "tracked": item.tracked,
        "requiresShipping": item.requires_shipping,
        "duplicateSkuCount": 0,
        "createdAt": instant(item.created_at),
        "updatedAt": instant(item.updated_at),
        "inventoryLevel": inventory_level,
        "inventoryLevels": inventory_levels,
        "variants": variants,
    }


def variant_view(item: Item) -> Json:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", item.variant_id),
        "legacyResourceId": str(item.variant_id),
        "sku": item.sku,
        "barcode": item.barcode,
        "title": "Default Title",
        "displayName": f"{item.title} - Default Title",
        "price": item.price,
        "inventoryPolicy": item.policy.value,
        "inventoryQuantity": lambda info: info.context.shop.sellable(item),
        "sellableOnlineQuantity": lambda info: info.context.shop.sellable(item),
        "requiresComponents": item.requires_components,
        "createdAt": instant(item.created_at),
        "updatedAt": instant(item.updated_at),
        "inventoryItem": lambda _: item_view(item),
        "product": {
            "__typename": "Product",
            "id": gid("Product", item.product_id),
            "legacyResourceId": str(item.product_id),
            "handle": item.sku.lower(),
            "status": "ACTIVE",
            "title": item.title,
        },
    }


def _levels(levels: Sequence[Level], first: int | None, after: str | None, include_inactive: bool) -> Json:
    shown = sorted((level for level in levels if level.active or include_inactive), key=lambda level: level.id)
    return list_connection(shown, first, after, lambda level: level.id, level_view)


def _service_view(location: Location) -> Json | None:
    if location.service is None:
        return None
    return {
        "id": gid("FulfillmentService", location.id),
        "handle": location.service.lower().replace(" ", "-"),
        "serviceName": location.service,
        "type": "THIRD_PARTY",
        "inventoryManagement": location.service_owns_stock,
    }
