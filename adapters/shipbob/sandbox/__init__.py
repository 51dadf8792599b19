"""ShipBob as a local server: one account with its own stock semantics, limits and faults.

It shares no code with the client, the mapping or the webhook reader: agreement between the two is evidence.
"""

from adapters.shipbob.sandbox.faults import Fault, FaultMix
from adapters.shipbob.sandbox.seed import ItemSeed, LocationSeed, WarehouseSeed
from adapters.shipbob.sandbox.server import ShipbobSandbox

__all__ = ["Fault", "FaultMix", "ItemSeed", "LocationSeed", "ShipbobSandbox", "WarehouseSeed"]
