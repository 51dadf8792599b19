"""The rigs by name. Each is imported when it is asked for: one that is missing fails its own tests only."""

from __future__ import annotations

from importlib import import_module

from tests.contract.suite.rigs.channel_rig import ChannelRig
from tests.contract.suite.rigs.warehouse_rig import WarehouseRig

_CHANNELS = {"shopify": "ShopifyRig", "amazon": "AmazonRig", "ebay": "EbayRig"}
_WAREHOUSES = {"shipbob": "ShipbobRig", "fba": "FbaRig"}
CHANNELS = tuple(_CHANNELS)
COMPARED = ("shopify",)  # by how they are written
PLAIN = ("amazon", "ebay")
HOOKED = ("shopify", "ebay")  # by how they tell their news
QUEUED = ("amazon",)
PATIENT = ("shopify", "amazon")  # by what helps when they say "too many requests": to wait a little,
DAILY = ("ebay",)  # or to leave them alone for now, because a day's quota is used up
FULFILLERS = ("shipbob",)
STOCK_SOURCES = tuple(_WAREHOUSES)


def channel_rig(name: str) -> ChannelRig:
    made = _class(name, _CHANNELS[name])()
    assert isinstance(made, ChannelRig)
    return made


def warehouse_rig(name: str) -> WarehouseRig:
    made = _class(name, _WAREHOUSES[name])()
    assert isinstance(made, WarehouseRig)
    return made


def _class(module: str, name: str) -> type:
    found: type = getattr(import_module(f"tests.contract.suite.rigs.{module}"), name)
    return found
