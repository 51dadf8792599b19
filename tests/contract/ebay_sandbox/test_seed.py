"""An account made from plain data, and a sandbox that is started and stopped by hand."""

from __future__ import annotations

import msgspec

from adapters.ebay.sandbox import EbaySandbox, FaultMix, Format, ItemSeed, SellerSeed
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock


def test_a_seed_is_read_from_plain_data() -> None:
    told = {
        "marketplace_id": "EBAY_DE",
        "items": [{"sku": "RED-CLOCK", "quantity": 3, "format": "AUCTION"}],
        "daily_quotas": {"sell.inventory": 5},
        "faults": {"hang_s": 20.0},
    }

    seed = msgspec.convert(told, SellerSeed)

    assert seed.items == (ItemSeed("RED-CLOCK", quantity=3, format=Format.AUCTION),)
    assert seed.faults == FaultMix(hang_s=20.0)
    assert (seed.marketplace_id, seed.daily_quotas) == ("EBAY_DE", {"sell.inventory": 5})


def test_the_default_mix_is_lively_and_none_is_calm() -> None:
    lively, calm = FaultMix(), FaultMix.none()

    assert 0 < lively.lost_reply < 0.05
    assert (calm.lost_reply, calm.webhook_drop, calm.webhook_forged, calm.row_failure) == (0, 0, 0, 0)
    assert calm.webhook_delay_max_s == lively.webhook_delay_max_s > 0


async def test_starting_and_stopping_twice_is_once() -> None:
    sandbox = EbaySandbox(SellerSeed(), SteppingClock(), SeededRng())

    for _ in range(2):
        await sandbox.start()
    for _ in range(2):
        await sandbox.stop()

    assert sandbox.seller.orders == {}
