"""The account's records in the vendor's JSON shapes."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.shipbob.sandbox.records import Item, Json, Line, Order, Shipment, Tracking
from adapters.shipbob.sandbox.seed import LocationSeed, WarehouseSeed


def instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "+00:00"


class Views:
    """Renders orders, shipments and levels of one account."""

    def __init__(self, seed: WarehouseSeed, locations: tuple[LocationSeed, ...]) -> None:
        self._seed = seed
        self._names = {location.id: location.name for location in locations}

    def order(self, order: Order) -> Json:
        return {
            "id": order.id,
            "created_date": instant(order.created_at),
            "purchase_date": order.purchased_at,
            "reference_id": order.reference,
            "order_number": order.number,
            "status": order.status,
            "type": order.type,
            "channel": {"id": self._seed.channel_id, "name": self._seed.channel_name},
            "shipping_method": order.shipping_method,
            "recipient": order.recipient,
            "products": [self._product(line) for line in order.lines],
            "tags": [],
            "shipments": [self.shipment(order, shipment) for shipment in order.shipments],
            "gift_message": None,
        }

    def shipment(self, order: Order, shipment: Shipment) -> Json:
        tracking = shipment.tracking
        return {
            "id": shipment.id,
            "order_id": order.id,
            "reference_id": order.reference,
            "created_date": instant(shipment.created_at),
            "last_update_at": instant(shipment.updated_at),
            "actual_fulfillment_date": instant(tracking.shipped_at) if tracking is not None else None,
            "location": {"id": shipment.location_id, "name": self._names[shipment.location_id]},
            "status": shipment.status.value,
            "status_details": self._details(shipment),
            "ship_option": order.shipping_method,
            "recipient": {**order.recipient, "full_name": order.recipient["name"]},
            "products": [self._shipped(shipment, line) for line in shipment.lines],
            "is_tracking_uploaded": False,
            "require_signature": False,
            **({"tracking": _tracking(tracking)} if tracking is not None else {}),
        }

    def levels(self, item: Item, read_at: datetime | None, location_id: int | None) -> Json:
        """An item with its levels; as they stood at `read_at`, if a replica answers."""
        shown = [level for level in item.levels.values() if location_id in (None, level.location_id)]
        return {
            "inventory_id": item.inventory_id,
            "sku": item.sku,
            "name": item.name,
            "locations": [
                {
                    "location_id": level.location_id,
                    "name": self._names[level.location_id],
                    "on_hand_quantity": numbers.on_hand,
                    "fulfillable_quantity": numbers.fulfillable,
                    "committed_quantity": numbers.committed,
                    "awaiting_quantity": 0,
                    "internal_transfer_quantity": 0,
                }
                for level in shown
                for numbers in [level.now if read_at is None else level.as_of(read_at)]
            ],
        }

    def location(self, location: LocationSeed) -> Json:
        return {
            "id": location.id,
            "name": location.name,
            "abbreviation": "".join(letter for letter in location.name.upper() if letter.isalpha())[:3] + "1",
            "is_active": True,
            "is_receiving_enabled": True,
            "is_shipping_enabled": True,
            "access_granted": True,
            "attributes": [],
            "services": [],
            "region": {"id": 1, "name": "Illinois"},
            "timezone": "Central Standard Time",
        }

    def channel(self) -> Json:
        seed = self._seed
        return {
            "id": seed.channel_id,
            "name": seed.channel_name,
            "application_name": "SMA",
            "scopes": list(seed.scopes),
        }

    def _product(self, line: Line) -> Json:
        return {
            "id": line.item.product_id,
            "reference_id": line.item.sku,
            "sku": line.item.sku,
            "quantity": line.quantity,
            "quantity_unit_of_measure_code": "EA",
            "unit_price": None,
        }

    def _shipped(self, shipment: Shipment, line: Line) -> Json:
        taken = line.quantity if shipment.committed else 0
        inventory = {
            "id": line.item.inventory_id,
            "name": line.item.name,
            "quantity": line.quantity,
            "quantity_committed": taken,
            "is_dangerous_goods": False,
            "lot": None,
            "expiration_date": None,
            "serial_numbers": [],
        }
        product = line.item
        return {
            "id": product.product_id,
            "name": product.name,
            "reference_id": product.sku,
            "sku": product.sku,
            "inventory_items": [inventory],
        }

    def _details(self, shipment: Shipment) -> list[Json]:
        detail = shipment.detail
        if detail is None:
            return []
        return [{"id": detail.id, "name": detail.name, "description": detail.description, "inventory_id": None}]


def _tracking(tracking: Tracking) -> Json:
    return {
        "carrier": tracking.carrier,
        "carrier_service": tracking.service,
        "tracking_number": tracking.number,
        "tracking_url": tracking.url,
        "shipping_date": instant(tracking.shipped_at),
    }
