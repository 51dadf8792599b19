"""What booking its levels must know of ShipBob. Durations are the seller's seconds unless `_real_s`."""

from __future__ import annotations

from adapters.warehouse import WarehouseTraits


def shipbob_traits(poll_every_s: float = 120.0, request_timeout_real_s: float = 15.0) -> WarehouseTraits:
    return WarehouseTraits(
        poll_every_s=poll_every_s,
        shipments_poll_every_s=60.0,
        shipments_overlap_s=600.0,
        settle_s=60.0,
        request_timeout_real_s=request_timeout_real_s,
    )
