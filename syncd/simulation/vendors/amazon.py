"""The made-up seller's account on Amazon, with goods at FBA and a queue for notifications."""

from __future__ import annotations

from syncd.simulation.vendors.face import LIVELY, Json, Secret, Settings
from syncd.simulation.world import World

MARKETPLACE = "ATVPDKIKX0DER"
_SELLER = "A2SANDBOXSELLER"


class Amazon:
    def seed(self, world: World, key: str) -> Json:
        own = [
            {
                "sku": article.sku,
                "title": article.title,
                "quantity": world.opening(article),
                "price": article.price,
            }
            for article in world.listed_on(key)
        ]
        by_amazon = [
            {
                "sku": article.fba_sku,
                "title": article.title,
                "quantity": None,
                "fba_quantity": world.stock[(article.sku, world.fba.key)],
                "price": article.price,
            }
            for article in world.at_fba
            if world.fba is not None and world.fba.account == key
        ]
        return {
            "seller_id": _seller(world, key),
            "marketplace_id": MARKETPLACE,
            "items": own + by_amazon,
            "client_id": f"{key}-client",
            "client_secret": f"{key}-sandbox-secret",
            "refresh_token": f"Atzr|{key}-sandbox",
            "queue_access_key_id": f"{key}-queue",
            **({"faults": LIVELY} if world.faults else {}),
        }

    def settings(self, world: World, key: str, truth: Json) -> Settings:
        address = world.address(key)
        return {
            "base_url": address,
            "token_url": f"{address}/auth/o2/token",
            "seller_id": _seller(world, key),
            "marketplace_ids": [MARKETPLACE],
            "client_id": f"{key}-client",
            "client_secret": Secret(f"{key}-sandbox-secret"),
            "refresh_token_secret": Secret(f"Atzr|{key}-sandbox"),
            "poll_every_s": 180.0,
            "queue": {
                "url": f"{address}/000000000000/orders",
                "region": "us-east-1",
                "endpoint_url": address,
                "access_key_id": f"{key}-queue",
                "secret_access_key_secret": Secret(f"{key}-queue-sandbox-secret"),
            },
        }


def _seller(world: World, key: str) -> str:
    """Amazon's id of the seller, another for each account."""
    others = [each.key for each in world.channels if each.vendor == "amazon"]
    return f"{_SELLER}{others.index(key) or ''}"
