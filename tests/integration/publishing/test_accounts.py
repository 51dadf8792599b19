"""Accounts that observe, pause, go live and change, and what is kept of their buyers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.shopify.sandbox import ItemSeed, ShopSeed
from syncd.accounts.go_live import NotReadyToGoLive, go_live
from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.db.database import Database
from tests.integration.publishing.shown import both
from tests.support.shop import POLL, WRITE, Seller, Shop, a_seller_with_shops

# --- accounts ----------------------------------------------------------------------------------------------------


async def test_an_account_that_only_observes_writes_and_reads_nothing(db: Database) -> None:
    async with a_seller_with_shops(db, live=False) as seller:
        alpha, beta = seller.shops.values()
        await alpha.sells(quantity=2)
        await seller.works()
        for _ in range(3):
            await seller.minute()

        assert [shop.wire.writes + shop.wire.reads for shop in (alpha, beta)] == [[], []]
        assert both(seller) == (8, 10)
        assert seller.rows("SELECT sum(reserved) AS units FROM level")[0]["units"] == 2


async def test_a_paused_account_writes_nothing_until_it_is_live_again(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await seller.db.transact(set_state, beta.account_id, "paused", seller.now)
    await alpha.sells(quantity=2)
    await beta.sells()
    for _ in range(12):
        await seller.minute()
    assert beta.wire.writes == []
    assert both(seller) == (7, 9)

    await goes(seller, beta)
    await seller.publishes()

    assert both(seller) == (7, 7)


async def test_a_write_without_an_answer_is_not_repeated_while_its_account_is_paused(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await beta.meets("server_error", WRITE)
    await alpha.sells()
    await seller.works()
    await seller.db.transact(set_state, beta.account_id, "paused", seller.now)

    await seller.passes(60.0)
    await seller.publishes()
    paused = len(beta.wire.writes), beta.shows()
    await seller.db.transact(set_state, beta.account_id, "live", seller.now)
    await seller.publishes()

    assert paused == (1, 10)
    assert both(seller) == (9, 9)
    assert seller.waiting()["writes"] == 0


async def goes(seller: Seller, shop: Shop, *, leave_unmapped: bool = False) -> None:
    """Let a shop go live."""
    await seller.db.transact(go_live, shop.account_id, shop.key, timedelta(hours=24), leave_unmapped, seller.now)


async def test_everything_that_keeps_an_account_from_going_live_is_named_at_once_and_then_it_goes_live(
    db: Database,
) -> None:
    def with_a_stranger(seed: ShopSeed) -> ShopSeed:
        return replace(seed, items=(*seed.items, ItemSeed("STRANGER", quantity=3)))

    async with a_seller_with_shops(db, shops=("alpha",), live=False, more=with_a_stranger) as seller:
        alpha = seller.shops["alpha"]
        await seller.passes(25 * 3600.0)
        await alpha.sells(quantity=4)
        await seller.passes(1.0)

        with pytest.raises(NotReadyToGoLive) as refused:
            await goes(seller, alpha)

        assert [reason.partition(":")[0] for reason in refused.value.reasons] == [
            "its open orders are not taken in (a poll was complete never)",
            "3 events wait in the inbox",
            "1 listings are not mapped to a SKU",
            "the stock of 1 SKUs is older than 24 h or was never counted",
        ]
        assert alpha.wire.writes == []

        await seller.polls()
        seller.counts(20)
        await seller.passes(15.0)
        await seller.takes_in()
        await goes(seller, alpha, leave_unmapped=True)
        await seller.rests()
        assert alpha.shows() == 16
        assert alpha.shows("STRANGER") == 3


async def test_a_changed_buffer_cap_or_pool_shows_at_every_listing_of_the_account(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    def configured(change: dict[str, Any]) -> None:
        setup = {"channel": "shopify", "policy": "priority", "buffer": 0, "cap": None, "pool": ("hamburg",), **change}
        places = [WarehouseSetup(key, key, "own", "DE", "20095", "UTC") for key in ("hamburg", "berlin")]
        seller.db.transact_now(sync_parties, [AccountSetup(key="beta", **setup)], places, seller.now)

    changes: list[dict[str, Any]] = [{"cap": 4}, {}, {"buffer": 3}, {}, {"pool": ("berlin",)}, {}]
    shown = []
    for change in changes:
        configured(change)
        await seller.publishes()
        shown.append(both(seller))
        configured(change)
        assert seller.waiting()["listings"] == 0

    assert shown == [(10, 4), (10, 10), (10, 7), (10, 10), (10, 0), (10, 10)]


async def test_trouble_with_a_channel_that_a_former_process_told_of_is_over_with_the_first_poll(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.meets("internal_error", POLL, times=20)
    await seller.polls("alpha")
    assert seller.open_alerts() == ["channel_down"]
    await alpha.recovers()

    seller.restarts("alpha")
    await seller.polls("alpha")

    assert seller.open_alerts() == []


# --- what is kept of buyers --------------------------------------------------------------------------------------


async def test_buyers_data_is_erased_when_it_is_due_and_not_before(seller: Seller, alpha: Shop) -> None:
    order = await alpha.sells(ship_to={"name": "Ada Buyer", "city": "Hamburg", "zip": "20095", "country": "DE"})
    await seller.works()
    await seller.passes(60.0)
    await alpha.fulfils(order)
    await seller.works()
    await seller.passes(15.0)
    await seller.takes_in()

    await seller.passes(6.9 * 86400)
    after_six_days = await seller.tidies()
    await seller.passes(0.2 * 86400)
    after_seven_days = await seller.tidies()
    await seller.passes(22.8 * 86400)
    after_29_days = await seller.tidies()
    await seller.passes(0.2 * 86400)
    after_thirty_days = await seller.tidies()

    assert after_six_days == (True, True)
    assert after_seven_days == (True, False)
    assert after_29_days == (True, False)
    assert after_thirty_days == (False, False)
    (kept,) = seller.rows("SELECT country, postcode_prefix FROM sales_order")
    assert kept["country"] == "DE"


async def test_the_data_of_an_order_that_has_not_shipped_stays(seller: Seller, alpha: Shop) -> None:
    await alpha.sells(ship_to={"name": "Ada Buyer", "city": "Hamburg", "zip": "20095", "country": "DE"})
    await seller.works()
    await seller.passes(15.0)
    await seller.takes_in()

    await seller.passes(100 * 86400.0)

    assert await seller.tidies() == (True, False)
