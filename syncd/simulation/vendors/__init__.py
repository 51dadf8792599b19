"""Every vendor that the made-up seller deals with."""

from __future__ import annotations

from syncd.simulation.vendors.amazon import Amazon
from syncd.simulation.vendors.ebay import Ebay
from syncd.simulation.vendors.face import Face, Json, Secret, Setting, Settings
from syncd.simulation.vendors.shipbob import Shipbob
from syncd.simulation.vendors.shopify import Shopify

FACES: dict[str, Face] = {"shopify": Shopify(), "amazon": Amazon(), "ebay": Ebay(), "shipbob": Shipbob()}

__all__ = ["FACES", "Face", "Json", "Secret", "Setting", "Settings"]
