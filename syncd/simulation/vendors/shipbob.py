"""The made-up seller's 3PL: a ShipBob account that keeps some of the goods and ships by itself."""

from __future__ import annotations

from syncd.simulation.vendors.face import LIVELY, Json, Secret, Settings
from syncd.simulation.world import World

_CHANNEL, _LOCATION = 128944, 8


class Shipbob:
    def seed(self, world: World, key: str) -> Json:
        return {
            "token": f"{key}-sandbox-token",
            "channel_id": _CHANNEL,
            "location_id": _LOCATION,
            "items": [
                {"sku": article.sku, "name": article.title, "on_hand": world.stock[(article.sku, key)]}
                for article in world.plain
                if (article.sku, key) in world.stock
            ],
            "pick_after_s": [120.0, 600.0],  # a brisk warehouse, so that a short run sees parcels leave
            "ship_after_s": [300.0, 900.0],
            **({"faults": LIVELY} if world.faults else {}),
        }

    def settings(self, world: World, key: str, truth: Json) -> Settings:
        return {
            "base_url": world.address(key),
            "token_secret": Secret(f"{key}-sandbox-token"),
            "channel_id": _CHANNEL,
            "location_id": _LOCATION,
            "poll_every_s": 120.0,
        }
