"""Reads what createShippingFulfillment is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from adapters.ebay.sandbox.errors import fulfillment_error
from adapters.ebay.sandbox.instants import read_instant
from adapters.ebay.sandbox.records import Line, Order


class LineForm(msgspec.Struct, rename="camel"):
    line_item_id: str
    quantity: int = 1


class ShipmentForm(msgspec.Struct, rename="camel"):
    line_items: list[LineForm]
    shipped_date: str | None = None
    shipping_carrier_code: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class WantedShipment:
    parts: tuple[tuple[Line, int], ...]
    shipped_at: datetime
    carrier: str | None
    tracking: str | None


def read_shipment(form: ShipmentForm, order: Order, now: datetime) -> WantedShipment:
    """Raises 400: 32200 for a line, 32210 for one named twice, 32300 for the tracking, 32500 for the date."""
    ids = [line.line_item_id for line in form.line_items]
    if len(set(ids)) < len(ids):
        raise fulfillment_error(400, 32210, "Duplicate line item in the request")
    if not ids or any(line.quantity < 1 for line in form.line_items):
        raise fulfillment_error(400, 32600, "Invalid input data")
    parts = tuple((_line(order, line.line_item_id), line.quantity) for line in form.line_items)
    _check_tracking(form, order)
    return WantedShipment(parts, _shipped_at(form, order, now), form.shipping_carrier_code, form.tracking_number)


def _line(order: Order, line_id: str) -> Line:
    for line in order.lines:
        if line.id == line_id:
            return line
    raise fulfillment_error(400, 32200, f"Invalid line item id: {line_id}")


def _check_tracking(form: ShipmentForm, order: Order) -> None:
    """Carrier and number come together; the number is strictly alphanumeric and, where given, new to the order."""
    carrier, tracking = form.shipping_carrier_code, form.tracking_number
    if (carrier is None) != (tracking is None) or (
        tracking is not None and not (tracking.isascii() and tracking.isalnum())
    ):
        raise fulfillment_error(400, 32300, "Invalid shipment tracking number or carrier")
    if any(shipment.id == tracking for shipment in order.shipments):
        raise fulfillment_error(409, 34500, "Please use PUT operation for updating shipping fulfillment")


def _shipped_at(form: ShipmentForm, order: Order, now: datetime) -> datetime:
    if form.shipped_date is None:
        return now
    at = read_instant(form.shipped_date)
    if at is None or at < order.created_at or at > now:
        raise fulfillment_error(400, 32500, "Invalid shipped date")
    return at
