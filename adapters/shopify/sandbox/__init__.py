"""Shopify as a local server: one shop with its own stock semantics, quotas and faults.

It shares no code with the client, the mapping or the webhook reader: agreement between the two is evidence.
"""

from adapters.shopify.sandbox.faults import Fault, FaultMix
from adapters.shopify.sandbox.seed import ItemSeed, LocationSeed, Policy, ShopSeed
from adapters.shopify.sandbox.server import ShopifySandbox

__all__ = ["Fault", "FaultMix", "ItemSeed", "LocationSeed", "Policy", "ShopSeed", "ShopifySandbox"]
