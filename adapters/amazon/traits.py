"""What syncd must know of Amazon: a channel, and a warehouse. Durations are the seller's seconds unless `_real_s`."""

from __future__ import annotations

from adapters.contract import ChannelTraits, WriteStyle
from adapters.warehouse import WarehouseTraits

READ_BATCH = 20  # identifiers of one searchListingsItems
WRITE_BATCH = 20  # four seconds of patchListingsItem's quota


def amazon_traits(poll_every_s: float = 180.0, request_timeout_real_s: float = 20.0) -> ChannelTraits:
    return ChannelTraits(
        write_style=WriteStyle.PLAIN_SET,
        cells=("quantity",),
        write_batch=WRITE_BATCH,
        read_batch=READ_BATCH,
        index_lag_s=300.0,
        staleness_s=30.0,
        instant_granularity_s=1.0,
        hold_window_s=900.0,
        settle_s=900.0,
        poll_overlap_s=900.0,
        poll_every_s=poll_every_s,
        request_timeout_real_s=request_timeout_real_s,
        reread_after_s=3600.0,
        apply_s=30.0,
        sweeps=((86_400.0, 2 * 86_400.0),),  # every page costs one of the searches that one gets in three minutes
        fetch_batch=15,  # half a minute of getOrder's quota
    )


def fba_traits(poll_every_s: float = 180.0, request_timeout_real_s: float = 20.0) -> WarehouseTraits:
    return WarehouseTraits(
        poll_every_s=poll_every_s,
        shipments_poll_every_s=600.0,
        shipments_overlap_s=900.0,
        settle_s=60.0,
        request_timeout_real_s=request_timeout_real_s,
    )
