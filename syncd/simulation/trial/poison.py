"""News of an order that can be read and not taken in: its instants lie so late that nothing can be reckoned from them.

Rightly signed, as a mistake of the vendor's would be.
"""

from __future__ import annotations

import json
from typing import Any, Final

import httpx

from adapters.contract import Rng
from adapters.shopify.sandbox.deliveries import sign
from syncd.simulation.trial.lab import DAEMON_PORT, Lab

_NEVER: Final = "9999-12-31T23:59:59Z"


async def tell_of_poison(lab: Lab, rng: Rng) -> None:
    """One Shopify shop tells of it once; news that does not arrive is missed by nobody."""
    shops = [each.key for each in lab.world.channels if each.vendor == "shopify"]
    key = shops[rng.randrange(len(shops))]
    shop = lab.sandboxes[key].shop
    items = list(shop.items.values())
    body = json.dumps(_order(items[rng.randrange(len(items))], rng)).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": sign(shop.seed.client_secret, body),
        "X-Shopify-Webhook-Id": str(rng.uuid()),
    }
    lab.happenings.poisoned[key] += 1
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            answer = await client.post(f"http://127.0.0.1:{DAEMON_PORT}/webhooks/{key}", content=body, headers=headers)
            lab.happenings.poison_taken[key] += answer.is_success
        except httpx.HTTPError as err:
            lab.trace.note("poison.lost", key, type(err).__name__)


def _order(item: Any, rng: Rng) -> dict[str, Any]:
    line = {
        "id": 1 + rng.randrange(10**9),
        "variant_id": item.variant_id,
        "sku": item.sku,
        "quantity": 1,
        "current_quantity": 1,
        "fulfillable_quantity": 1,
        "requires_shipping": True,
        "price": "1.00",
    }
    return {
        "id": 1 + rng.randrange(10**9),
        "name": "#0",
        "created_at": _NEVER,
        "updated_at": _NEVER,
        "currency": "USD",
        "financial_status": "paid",
        "fulfillment_status": None,
        "test": False,
        "line_items": [line],
        "fulfillments": [],
        "refunds": [],
    }
