"""Shopify shops of the made-up seller."""

from __future__ import annotations

from syncd.simulation.vendors.face import LIVELY, Json, Secret, Settings
from syncd.simulation.world import World


class Shopify:
    def seed(self, world: World, key: str) -> Json:
        plan = next(each for each in world.channels if each.key == key)
        return {
            "domain": f"{key}.myshopify.com",
            "name": plan.name,
            "currency": "USD",
            "timezone": "America/New_York",
            "locations": [{"name": "Stock", "city": "Newark", "country": "US", "zip": "07102"}],
            "items": [
                {
                    "sku": article.sku,
                    "title": article.title,
                    "quantity": world.opening(article),
                    "policy": "CONTINUE" if article.back_orderable else "DENY",
                    "price": article.price,
                }
                for article in world.listed_on(key)
            ],
            "client_id": f"{key}-client",
            "client_secret": f"{key}-sandbox-secret",
            **({"faults": LIVELY} if world.faults else {}),
        }

    def settings(self, world: World, key: str, truth: Json) -> Settings:
        return {
            "base_url": world.address(key),
            "client_id": f"{key}-client",
            "client_secret": Secret(f"{key}-sandbox-secret"),
            "location": truth["levels"][0]["channel_location"],
            "poll_every_s": 60.0,
        }
