"""Amazon's notifications: raw bytes -> what they mean. Pure.

The envelope's spelling differs by type, PascalCase or camelCase, so keys are compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from adapters.amazon import ids
from adapters.amazon.ids import order_id
from adapters.amazon.mapping import MERCHANT
from adapters.amazon.marketplaces import COUNTRIES
from adapters.amazon.order_state import ItemFacts, OrderFacts, Status, by_channel_of, order_state, status_of
from adapters.contract import Address, Ignored, ListingHint, News, OrderHint, OrderNews
from adapters.reading import Unreadable, instant, pieces, shaped, text

_SOONER = timedelta(seconds=60)
"""A notification counts as this much older than the change, so that the polled order, with its address, is newer."""
_TO_BE_SENT = frozenset((Status.PENDING, Status.UNSHIPPED))
_TELLING = _TO_BE_SENT | {Status.CANCELLED}
"""Of an order that has left in part, a notification does not say which units were cancelled before. One that nobody
can fulfil may be an order of ours. Both must be looked up.
"""


def _joined(name: str) -> str | None:
    return name.replace("_", "")


class _Wire(msgspec.Struct, frozen=True, rename=_joined):
    """A JSON object with its keys in lower case; a field typed `object` holds whatever came."""


class Metadata(_Wire, frozen=True):
    notification_id: str


class Envelope(_Wire, frozen=True):
    notification_type: str
    notification_metadata: Metadata
    payload: object = None


class Trigger(_Wire, frozen=True):
    time_of_order_change: object = None


class SummaryItem(_Wire, frozen=True):
    order_item_id: object = None
    seller_sku: object = None
    quantity: object = None
    quantity_shipped: object = None


class Summary(_Wire, frozen=True):
    order_items: list[SummaryItem]
    marketplace_id: object = None
    order_status: object = None
    purchase_date: object = None
    destination_postal_code: object = None
    fulfillment_type: object = None
    number_of_items_unshipped: object = None


class OrderChange(_Wire, frozen=True):
    amazon_order_id: object = None
    notification_level: object = None
    order_change_type: object = None
    order_change_trigger: object = None
    summary: object = None


class OrderChangePayload(_Wire, frozen=True):
    order_change_notification: OrderChange


class QuantityChange(_Wire, frozen=True):
    sku: object = None
    fulfillment_channel_code: object = None
    quantity: object = None


def notification_id(body: bytes) -> str | None:
    """The id that every delivery of the same notification has; None when it is not a notification."""
    try:
        return ids.notification_id(envelope(body).notification_metadata.notification_id)
    except (ValueError, RecursionError):
        return None


def envelope(body: bytes) -> Envelope:
    """Raises a ValueError for what is not a notification. EventBridge puts it into `detail`."""
    message = _lowered(msgspec.json.decode(body))
    if isinstance(message, dict) and "notificationtype" not in message and isinstance(message.get("detail"), dict):
        message = message["detail"]
    return msgspec.convert(message, Envelope)


def news_of(body: bytes) -> News:
    """What a notification means. Raises Unreadable, or a ValueError for what is not a notification's JSON."""
    found = envelope(body)
    match found.notification_type.upper():
        case "ORDER_CHANGE":
            return _order_change(msgspec.convert(found.payload, OrderChangePayload).order_change_notification)
        case "LISTINGS_ITEM_MFN_QUANTITY_CHANGE":
            return _quantity_change(msgspec.convert(found.payload, QuantityChange))
        case _:
            return Ignored(f"notification type {found.notification_type[:80] or 'missing'}")


def _quantity_change(change: QuantityChange) -> News:
    sku = text(change.sku)
    if sku is None:
        raise Unreadable("Sku", "missing")
    if change.fulfillment_channel_code != MERCHANT:
        return Ignored("a number that is not the merchant's")
    return ListingHint(sku, MERCHANT, pieces(change.quantity))


def _order_change(change: OrderChange) -> News:
    """The order itself where the notification says enough to reserve by; else only that it changed."""
    known_id = order_id(change.amazon_order_id)
    if known_id is None:
        raise Unreadable("AmazonOrderId", "not the id of an order")
    if change.order_change_type == "DeliveryTipChange":
        return Ignored("a tip")
    facts = _facts(known_id, change)
    return OrderHint(known_id) if facts is None else OrderNews(order_state(facts))


def _facts(known_id: str, change: OrderChange) -> OrderFacts | None:
    """None when anything is missing. A buyer's request is no cancellation: the order is looked up."""
    trigger = shaped(change.order_change_trigger, Trigger) or Trigger()
    summary, version_at = shaped(change.summary, Summary), _before(instant(trigger.time_of_order_change))
    whole = change.notification_level == "OrderLevel" and change.order_change_type == "OrderStatusChange"
    if not whole or summary is None or version_at is None:
        return None
    status = status_of(summary.order_status)
    if status is None or status not in _TELLING:
        return None
    if by_channel_of(summary.fulfillment_type) is None or instant(summary.purchase_date) is None:
        return None
    items = [_item(item) for item in summary.order_items]
    if not items or None in items or not _adds_up(summary, status):
        return None
    return OrderFacts(
        order_id=known_id,
        version_at=version_at,
        created_at=summary.purchase_date,
        status=summary.order_status,
        fulfilled_by=summary.fulfillment_type,
        ship_to=_destination(summary, status),
        items=[item for item in items if item is not None],
    )


def _item(item: SummaryItem) -> ItemFacts | None:
    ordered = pieces(item.quantity)
    if ordered is None or text(item.seller_sku) is None or text(item.order_item_id) is None:
        return None
    return ItemFacts(item.order_item_id, item.seller_sku, ordered, pieces(item.quantity_shipped))


def _adds_up(summary: Summary, status: Status) -> bool:
    """Whether as much is still to be sent as the items name; else some of it was cancelled, nobody says what."""
    unshipped = pieces(summary.number_of_items_unshipped)
    if status is not Status.UNSHIPPED or unshipped is None:
        return True
    return unshipped == sum(pieces(item.quantity) or 0 for item in summary.order_items)


def _destination(summary: Summary, status: Status) -> Address | None:
    """Enough to choose a warehouse by. Once that is past, it would only stand in for the whole address."""
    country = COUNTRIES.get(summary.marketplace_id) if isinstance(summary.marketplace_id, str) else None
    if status not in _TO_BE_SENT or country is None:
        return None
    return Address(country=country, postcode=text(summary.destination_postal_code))


def _before(at: datetime | None) -> datetime | None:
    try:
        return at - _SOONER if at is not None else None
    except OverflowError:
        return None


def _lowered(raw: object) -> object:
    """The same JSON with every key in lower case."""
    if isinstance(raw, Mapping):
        return {str(key).lower(): _lowered(value) for key, value in raw.items()}
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return [_lowered(value) for value in raw]
    return raw
