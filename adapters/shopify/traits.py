"""What the publishing protocol must know of Shopify. Durations are the seller's seconds unless `_real_s`."""

from __future__ import annotations

from adapters.contract import ChannelTraits, WriteStyle
from adapters.shopify.writes import WRITE_BATCH

READ_BATCH = 250  # the cap on `nodes(ids:)`


def shopify_traits(poll_every_s: float = 60.0, request_timeout_real_s: float = 10.0) -> ChannelTraits:
    return ChannelTraits(
        write_style=WriteStyle.COMPARE_AND_SET,
        cells=("available",),
        write_batch=WRITE_BATCH,
        read_batch=READ_BATCH,
        index_lag_s=60.0,
        staleness_s=2.0,
        instant_granularity_s=1.0,
        hold_window_s=600.0,
        settle_s=30.0,
        poll_overlap_s=300.0,
        poll_every_s=poll_every_s,
        request_timeout_real_s=request_timeout_real_s,
    )
