"""Orders as Shopify's webhooks carry them: some four kilobytes, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import count
from typing import Any, Final

import msgspec

from adapters.shopify import ShopifyChannel, ShopifySettings
from benchmarks.book.seller import ACCOUNT, LOCATION
from benchmarks.book.shoppers import Bought, Demand, shoppers
from syncd.chance import SeededRng
from tests.unit.shopify_sandbox.kit import SteppingClock

SECRET: Final = "a-secret-of-the-benchmark"
PATH: Final = f"/webhooks/{ACCOUNT}"
TOPIC: Final = "orders/create"
_BODY_BYTES: Final = 4_000
_BUYER: Final = {
    "name": "Jane Example",
    "address1": "1 Main Street",
    "address2": None,
    "city": "Springfield",
    "province_code": "IL",
    "zip": "62701",
    "country_code": "US",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """`key` is the order's id at the channel."""

    key: str
    name: str
    body: bytes

    def headers(self) -> dict[str, str]:
        signature = base64.b64encode(hmac.new(SECRET.encode(), self.body, hashlib.sha256).digest()).decode()
        return {
            "X-Shopify-Topic": TOPIC,
            "X-Shopify-Webhook-Id": self.name,
            "X-Shopify-Hmac-Sha256": signature,
            "Content-Type": "application/json",
        }

    def request(self) -> bytes:
        """The whole POST as it goes over the wire."""
        told = {"Host": "localhost", "Content-Length": str(len(self.body)), **self.headers()}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + self.body


def deliveries(skus: int, seed: int, first: int) -> Iterator[Delivery]:
    """Deliveries without end, of orders numbered from `first` on."""
    bought = shoppers(Demand.SPREAD, skus, seed, f"webhook{first}")
    for number in count(first):
        yield _delivery(number, next(bought))


def _delivery(number: int, bought: Bought) -> Delivery:
    at = bought.placed_at.astimezone(UTC).isoformat()
    order: dict[str, Any] = {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "created_at": at,
        "updated_at": at,
        "cancelled_at": None,
        "test": False,
        "currency": "USD",
        "financial_status": "paid",
        "fulfillment_status": None,
        "shipping_address": _BUYER,
        "billing_address": _BUYER,
        "refunds": [],
        "fulfillments": [],
        "line_items": [_line(number * 10 + n, sku_id, units) for n, (sku_id, units) in enumerate(bought.lines)],
    }
    missing = _BODY_BYTES - len(msgspec.json.encode(order))
    order["note_attributes"] = [{"name": "of no interest here", "value": "x" * max(0, missing)}]
    return Delivery(f"gid://shopify/Order/{number}", f"delivery-{number}", msgspec.json.encode(order))


def _line(number: int, sku_id: int, quantity: int) -> dict[str, Any]:
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{number}",
        "variant_id": sku_id,
        "sku": f"SKU-{sku_id}",
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "requires_shipping": True,
        "price": "19.90",
        "title": "An article",
    }


def open_channel() -> ShopifyChannel:
    """The shop's adapter; nothing of it calls out here."""
    settings = ShopifySettings("http://127.0.0.1:9", "id", SECRET, None, LOCATION)
    return ShopifyChannel(settings, SteppingClock(), SeededRng(1, "benchmark"))
