"""eBay as a local server: one seller on one marketplace, with stock semantics, quotas and faults of its own.

It shares no code with the client, the mapping or the webhook reader: agreement between the two is evidence.
"""

from adapters.ebay.sandbox.faults import Fault, FaultMix
from adapters.ebay.sandbox.seed import Format, ItemSeed, SellerSeed
from adapters.ebay.sandbox.server import EbaySandbox

__all__ = ["EbaySandbox", "Fault", "FaultMix", "Format", "ItemSeed", "SellerSeed"]
