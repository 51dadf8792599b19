"""The made-up seller's account on eBay."""

from __future__ import annotations

from syncd.simulation.vendors.face import LIVELY, Json, Secret, Settings
from syncd.simulation.world import World

_MARKETPLACE = "EBAY_US"


class Ebay:
    def seed(self, world: World, key: str) -> Json:
        return {
            "seller_id": "red-clock",
            "marketplace_id": _MARKETPLACE,
            "items": [
                {
                    "sku": article.sku,
                    "title": article.title,
                    "quantity": world.opening(article),
                    "price": article.price,
                }
                for article in world.listed_on(key)
            ],
            "client_id": f"{key}-client",
            "client_secret": f"{key}-sandbox-secret",
            "refresh_token": f"v^1.1#{key}-sandbox",
            **({"faults": LIVELY} if world.faults else {}),
        }

    def settings(self, world: World, key: str, truth: Json) -> Settings:
        return {
            "base_url": world.address(key),
            "client_id": f"{key}-client",
            "client_secret": Secret(f"{key}-sandbox-secret"),
            "refresh_token_secret": Secret(f"v^1.1#{key}-sandbox"),
            "marketplace_id": _MARKETPLACE,
            "verification_token_secret": Secret(f"{key[:36]}-sandbox-verification-token-of-this-seller"),
            "poll_every_s": 120.0,
        }
