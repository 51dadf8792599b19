"""The parts of ShipBob's answers that we read. A field typed `object` holds whatever came and is judged on its own."""

from __future__ import annotations

import msgspec


def text(value: object) -> str | None:
    return value.replace("\0", "").strip() or None if isinstance(value, str) else None


def whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- orders and their shipments ------------------------------------------------------------------------------------


class ChannelInfo(msgspec.Struct, frozen=True):
    id: int


class OrderView(msgspec.Struct, frozen=True):
    id: int
    reference_id: str | None = None
    status: object = None
    channel: object = None
    products: object = None
    shipments: object = None


class OrderedProduct(msgspec.Struct, frozen=True):
    reference_id: object = None
    sku: object = None
    quantity: object = None


class ShipmentView(msgspec.Struct, frozen=True):
    status: object = None
    status_details: object = None
    products: object = None
    tracking: object = None
    actual_fulfillment_date: object = None


class ShippedProduct(msgspec.Struct, frozen=True):
    reference_id: object = None
    sku: object = None
    inventory_items: object = None


class InventoryItem(msgspec.Struct, frozen=True):
    id: object = None
    quantity: object = None


class StatusDetail(msgspec.Struct, frozen=True):
    name: object = None
    description: object = None


class Tracking(msgspec.Struct, frozen=True):
    carrier: object = None
    tracking_number: object = None
    tracking_url: object = None
    shipping_date: object = None


class CancelledShipment(msgspec.Struct, frozen=True):
    action: object = None
    is_success: object = None
    reason: object = None


class CancelledOrder(msgspec.Struct, frozen=True):
    status: object = None
    order: object = None
    canceled_shipment_results: object = None


# --- levels --------------------------------------------------------------------------------------------------------


class LevelsPage(msgspec.Struct, frozen=True):
    items: list[object] | None  # a page that does not even have it is no page
    next: str | None = None


class ItemLevels(msgspec.Struct, frozen=True):
    inventory_id: object = None
    sku: object = None
    locations: object = None


class LocationLevel(msgspec.Struct, frozen=True):
    location_id: object = None
    fulfillable_quantity: object = None


# --- the account ---------------------------------------------------------------------------------------------------


class Channel(msgspec.Struct, frozen=True):
    id: int
    name: str | None = None
    scopes: list[str] | None = None


class ChannelsPage(msgspec.Struct, frozen=True):
    items: list[Channel] | None = None
    next: str | None = None


class Location(msgspec.Struct, frozen=True):
    id: int
    is_active: bool = True
    is_shipping_enabled: bool = True
    access_granted: bool = True


class Hook(msgspec.Struct, frozen=True):
    url: str | None = None
    topics: list[str] | None = None
    enabled: bool = True


class HooksPage(msgspec.Struct, frozen=True):
    items: list[Hook] | None = None
    next: str | None = None
