"""Webhooks: raw bytes and headers -> verified event -> what it means. Pure.

Payloads have the REST shape: snake_case, numeric ids beyond 2**53. Deliveries come twice, late and out of order; an
order is applied as a state and a level is only a hint to read, so none of that matters here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from adapters.contract import (
    Forged,
    Ignored,
    ListingHint,
    News,
    OrderHint,
    OrderNews,
    RawEvent,
)
from adapters.events import POLL_TOPIC, understood
from adapters.shopify.mapping import order_of_node
from adapters.shopify.payload import known_gid, order_of_payload

_DELIVERY_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> RawEvent:
    """The event, if one of the secrets signed these very bytes. Raises Forged."""
    lowered = {name.lower(): value for name, value in headers.items()}
    claimed = lowered.get("x-shopify-hmac-sha256", "").encode("utf-8", "replace")
    matches = [hmac.compare_digest(_signature(secret, body), claimed) for secret in secrets]
    if not any(matches):
        raise Forged("the signature does not verify")
    if not body:
        raise Forged("an empty body")  # Shopify's own validator refuses it too, rightly signed or not
    delivery = lowered.get("x-shopify-webhook-id", "")
    if not _DELIVERY_ID.fullmatch(delivery):
        delivery = hashlib.sha256(body).hexdigest()
    return RawEvent(f"webhook:{delivery}", lowered.get("x-shopify-topic", ""), body)


def _signature(secret: str, body: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())


def resolve(event: RawEvent, location: str) -> News:
    """What an inbox event means. Total: what cannot be read is Malformed."""
    reader = _READERS.get(event.topic)
    if reader is None:
        return Ignored(f"topic {event.topic or 'missing'}")
    return understood(reader, event.body, location)


# --- payloads ----------------------------------------------------------------------------------------------------


class LevelPayload(msgspec.Struct, frozen=True):
    inventory_item_id: int
    location_id: int
    available: object = None


class OrderEdit(msgspec.Struct, frozen=True):
    order_id: int


class EditPayload(msgspec.Struct, frozen=True):
    order_edit: OrderEdit


class RefundPayload(msgspec.Struct, frozen=True):
    order_id: int


# --- topics ------------------------------------------------------------------------------------------------------


def _edited(body: bytes, location: str) -> News:
    return OrderHint(known_gid("Order", msgspec.json.decode(body, type=EditPayload).order_edit.order_id))


def _refunded(body: bytes, location: str) -> News:
    return OrderHint(known_gid("Order", msgspec.json.decode(body, type=RefundPayload).order_id))


def _level(body: bytes, location: str) -> News:
    payload = msgspec.json.decode(body, type=LevelPayload)
    available = payload.available
    return ListingHint(
        known_gid("InventoryItem", payload.inventory_item_id),
        known_gid("Location", payload.location_id),
        available if isinstance(available, int) and not isinstance(available, bool) else None,
    )


def _polled(body: bytes, location: str) -> News:
    return OrderNews(order_of_node(body, location))


_READERS: Mapping[str, Callable[[bytes, str], News]] = {
    POLL_TOPIC: _polled,
    "orders/create": order_of_payload,
    "orders/updated": order_of_payload,
    "orders/cancelled": order_of_payload,
    "orders/paid": order_of_payload,
    "orders/fulfilled": order_of_payload,
    "orders/partially_fulfilled": order_of_payload,
    "orders/edited": _edited,
    "refunds/create": _refunded,
    "inventory_levels/update": _level,
}
