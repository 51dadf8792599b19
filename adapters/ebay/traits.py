"""What the publishing protocol must know of eBay. Durations are the seller's seconds unless `_real_s`."""

from __future__ import annotations

from adapters.contract import ChannelTraits, WriteStyle

BATCH = 25  # the cap of bulk_update_price_quantity and of bulk_get_inventory_item


def ebay_traits(poll_every_s: float = 120.0, request_timeout_real_s: float = 15.0) -> ChannelTraits:
    return ChannelTraits(
        write_style=WriteStyle.PLAIN_SET,
        cells=("quantity",),  # item and offer are always written to the same number
        write_batch=BATCH,
        read_batch=BATCH,
        index_lag_s=120.0,  # not published
        staleness_s=5.0,
        instant_granularity_s=1.0,
        hold_window_s=432_000.0,  # an unpaid purchase is dropped after about 5 days, and shows in no order before
        settle_s=60.0,
        poll_overlap_s=600.0,
        poll_every_s=poll_every_s,
        request_timeout_real_s=request_timeout_real_s,
        reread_after_s=900.0,  # an unpaid purchase shows only as a lower number
        apply_s=0.0,
        sweeps=((3600.0, 86_400.0), (86_400.0, 7 * 86_400.0)),
        fetch_batch=50,  # order ids a call
    )
