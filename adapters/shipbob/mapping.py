"""An order and its shipments, as ShipBob shows them, as one `ShipmentState`. Pure.

ShipBob splits an order into shipments as it likes; for us it is one request. It is shipped when nothing of it is left
to leave, cancelled when nothing of it ever will, and anything we do not understand is for a person to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.reading import entries, shaped
from adapters.shipbob.pieces import contents, ordered_pieces, pieces
from adapters.shipbob.wire import OrderView, ShipmentView, StatusDetail, Tracking, text
from adapters.warehouse import Parcel, ShipmentState, ShipmentStatus

_ACCEPTED, _PICKING = ShipmentStatus.ACCEPTED, ShipmentStatus.PICKING
_SHIPPED, _CANCELLED, _EXCEPTION = ShipmentStatus.SHIPPED, ShipmentStatus.CANCELLED, ShipmentStatus.EXCEPTION

SHIPMENTS: Mapping[str, ShipmentStatus] = {
    "None": _ACCEPTED,
    "Processing": _ACCEPTED,
    "LabeledCreated": _PICKING,
    "Completed": _SHIPPED,
    "Cancelled": _CANCELLED,
    "Exception": _EXCEPTION,
    "OnHold": _EXCEPTION,
    "ImportReview": _EXCEPTION,
    "CleanSweeped": _EXCEPTION,  # undocumented; taken off the floor, so a person must say what became of it
}
ORDERS: Mapping[str, ShipmentStatus] = {
    "Processing": _ACCEPTED,
    "Exception": _EXCEPTION,
    "ImportReview": _EXCEPTION,
    "Cancelled": _CANCELLED,
}
"""What an order without shipments is; the other statuses of an order cannot be without."""

_GIVEN_UP = frozenset({"Cancelled", "CleanSweeped"})  # others may have been made in their place
_ON_THE_FLOOR = frozenset({"PickInProgress", "Picked", "Packed", "Labeled"})  # details of Processing
_LONGEST_REASON = 200


def shipment_state(order: OrderView) -> ShipmentState:
    """The state of an order that has a reference."""
    shipments = [shaped(raw, ShipmentView) or ShipmentView() for raw in entries(order.shipments)]
    statuses = [_status(shipment) for shipment in shipments]
    status, reason = _whole_status(order, shipments, statuses)
    parcels = _parcels(order, shipments, statuses)
    return ShipmentState(
        reference=order.reference_id or "",
        warehouse_shipment_id=str(order.id),
        status=status,
        shipped=dict(sum((Counter(parcel.pieces) for parcel in parcels), Counter())),
        parcels=parcels,
        reason=reason,
    )


# --- statuses ------------------------------------------------------------------------------------------------------


def _status(shipment: ShipmentView) -> ShipmentStatus:
    status = SHIPMENTS.get(text(shipment.status) or "", _EXCEPTION)
    if status is _ACCEPTED and _ON_THE_FLOOR.intersection(_details(shipment)):
        return _PICKING
    return status


def _whole_status(
    order: OrderView, shipments: Sequence[ShipmentView], statuses: Sequence[ShipmentStatus]
) -> tuple[ShipmentStatus, str | None]:
    of_order = text(order.status)
    if not statuses:
        status = ORDERS.get(of_order or "", _EXCEPTION)
        return status, f"the order is {of_order} and has no shipments" if status is _EXCEPTION else None
    for status in (_EXCEPTION, _PICKING, _ACCEPTED):
        if status in statuses:
            reason = _reason(shipments[statuses.index(status)]) if status is _EXCEPTION else None
            return status, reason
    if _SHIPPED not in statuses:
        if of_order in ("Cancelled", None):
            return _CANCELLED, None
        return _EXCEPTION, f"every shipment is cancelled but the order is {of_order}"
    if _CANCELLED in statuses:
        return _SHIPPED, f"{statuses.count(_CANCELLED)} of {len(statuses)} shipments were cancelled"
    return (_ACCEPTED if of_order == "PartiallyFulfilled" else _SHIPPED), None  # a shipment is still to be made


def _reason(shipment: ShipmentView) -> str:
    status = text(shipment.status) or "a shipment without status"
    return ": ".join([status, *_details(shipment)])[:_LONGEST_REASON]


def _details(shipment: ShipmentView) -> list[str]:
    """The names of the details: words of the vendor's list, never what a person typed."""
    details = (shaped(raw, StatusDetail) or StatusDetail() for raw in entries(shipment.status_details))
    return [name for detail in details if (name := text(detail.name)) is not None]


# --- parcels -------------------------------------------------------------------------------------------------------


def _parcels(
    order: OrderView, shipments: Sequence[ShipmentView], statuses: Sequence[ShipmentStatus]
) -> tuple[Parcel, ...]:
    ordered = ordered_pieces(order)
    if len(shipments) == 1 and ordered:
        return tuple(_parcel(shipments[0], ordered) for status in statuses if status is _SHIPPED)
    left = [shipment for shipment, status in zip(shipments, statuses, strict=True) if status is _SHIPPED]
    live = [contents(shipment) for shipment in shipments if text(shipment.status) not in _GIVEN_UP]
    every = [contents(shipment) for shipment in shipments]
    inside = pieces([contents(shipment) for shipment in left], ordered, live, every)
    return tuple(_parcel(shipment, held) for shipment, held in zip(left, inside, strict=True))


def _parcel(shipment: ShipmentView, inside: Mapping[str, int]) -> Parcel:
    tracking = shaped(shipment.tracking, Tracking) or Tracking()
    return Parcel(
        carrier=text(tracking.carrier),
        tracking_number=text(tracking.tracking_number),
        tracking_url=text(tracking.tracking_url),
        shipped_at=_instant(tracking.shipping_date) or _instant(shipment.actual_fulfillment_date),
        pieces=dict(inside),
    )


def _instant(value: object) -> datetime | None:
    """An instant in UTC; ShipBob prints some without an offset and means UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
