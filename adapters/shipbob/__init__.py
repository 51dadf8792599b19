"""ShipBob: the REST API 2026-01 and its webhooks, as a `Fulfiller`."""

from adapters.shipbob.client import ShipbobWarehouse
from adapters.shipbob.settings import ShipbobSettings
from adapters.shipbob.traits import shipbob_traits

__all__ = ["ShipbobSettings", "ShipbobWarehouse", "shipbob_traits"]
