"""Every vendor that the made-up seller deals with."""

from __future__ import annotations

from syncd.simulation.vendors.face import Face, Json, Secret, Setting, Settings
from syncd.simulation.vendors.shopify import Shopify

FACES: dict[str, Face] = {"shopify": Shopify()}

__all__ = ["FACES", "Face", "Json", "Secret", "Setting", "Settings"]
