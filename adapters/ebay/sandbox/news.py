"""What a notification says. The payload is reconstructed from third-party code: the vendor publishes no sample."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.instants import printed
from adapters.ebay.sandbox.records import Line, Order
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.topics import ORDER_CONFIRMATION


@dataclass(frozen=True, slots=True)
class News:
    """One notification. Attempts and duplicates carry the same id."""

    id: str
    topic_id: str
    happened_at: datetime
    data: Json

    def body(self, schema_version: str, published_at: datetime, attempt: int) -> bytes:
        """The bytes that go out and are signed: compact JSON, `metadata` first."""
        told = {
            "metadata": {"topic": self.topic_id, "schemaVersion": schema_version, "deprecated": False},
            "notification": {
                "notificationId": self.id,
                "eventDate": printed(self.happened_at),
                "publishDate": printed(published_at),
                "publishAttemptCount": attempt,
                "data": self.data,
            },
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def order_data(seller: Seller, order: Order, line: Line) -> Json:
    """One notification tells of one line: no SKU, no status."""
    return {
        "user": {"userId": seller.user_id, "username": seller.seed.seller_id},
        "order": {
            "orderId": order.id,
            "orderLineItems": [
                {"orderLineItemId": line.id, "listingId": line.offer.listing_id, "quantity": line.quantity}
            ],
        },
    }


def mocked_data(seller: Seller, topic_id: str) -> Json:
    """What a test of a subscription says: nothing that exists."""
    user = {"userId": seller.user_id, "username": seller.seed.seller_id}
    if topic_id == ORDER_CONFIRMATION:
        line = {"orderLineItemId": "10000000000001", "listingId": "110000000001", "quantity": 1}
        return {"user": user, "order": {"orderId": "00-00000-00000", "orderLineItems": [line]}}
    return {**user, "eiasToken": "sandbox-eias-token"}
