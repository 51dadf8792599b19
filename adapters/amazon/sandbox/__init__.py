"""Amazon as a local server: one seller's account with its own stock semantics, quotas, queue and faults.

It shares no code with the client or the mapping: agreement between the two is evidence.
"""

from adapters.amazon.sandbox.faults import Fault, FaultMix
from adapters.amazon.sandbox.seed import ItemSeed, SellerSeed
from adapters.amazon.sandbox.server import AmazonSandbox

__all__ = ["AmazonSandbox", "Fault", "FaultMix", "ItemSeed", "SellerSeed"]
