"""Orders that change and holds that end leave the right number everywhere."""

from __future__ import annotations

import pytest

from syncd.db.database import Database
from syncd.publishing.store.holds import expire_holds, must_read
from tests.integration.publishing.shown import both
from tests.support.shop import POLL, STALENESS_S, Seller, Shop, a_seller_with_shops

# --- orders that change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restock", [True, False])
@pytest.mark.parametrize("told", [True, False])
async def test_a_cancelled_order_gives_its_units_back_to_every_listing(
    seller: Seller, alpha: Shop, restock: bool, told: bool
) -> None:
    order = await alpha.sells(quantity=3)
    await seller.works()
    await alpha.loses_news(lost=not told)
    await seller.passes(30.0)

    await alpha.cancels(order, restock=restock)
    await seller.rests()

    assert both(seller) == (10, 10)
    assert seller.holds() == []


@pytest.mark.parametrize(("quantity", "restock", "right"), [(5, True, 5), (1, True, 9), (1, False, 9)])
async def test_an_edited_order_ends_with_the_right_number_everywhere(
    seller: Seller, alpha: Shop, quantity: int, restock: bool, right: int
) -> None:
    order = await alpha.sells(quantity=3)
    await seller.works()
    await seller.passes(30.0)

    await alpha.edits(order, quantity, restock=restock)
    await seller.rests()

    assert both(seller) == (right, right)


async def test_a_cancellation_that_came_before_its_news_does_not_relist_a_sale_that_it_hid(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    cancelled = await alpha.sells()
    await seller.works()
    await seller.passes(30.0)
    await alpha.falls_silent()
    await alpha.cancels(cancelled)  # one back on sale,
    await alpha.sells()  # and sold at once: the number is the same as before
    await seller.passes(3.0)
    await beta.sells()
    await seller.works()
    assert alpha.written() == [(9, 8)]  # it took the number for explained

    await alpha.loses_news_of("orders/create")
    await alpha.speaks_again()
    await seller.works()

    assert both(seller) == (8, 8)
    await seller.rests()
    assert both(seller) == (8, 8)


async def test_what_came_back_before_a_read_is_offered_nowhere_until_sales_behind_it_must_be_known(
    seller: Seller, alpha: Shop
) -> None:
    cancelled = await alpha.sells(quantity=2)
    await seller.works()
    await seller.passes(30.0)
    await alpha.falls_silent()
    await alpha.cancels(cancelled)  # two back on sale,
    await alpha.sells()  # and one of them sold
    await seller.passes(10.0)
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)
    await seller.works()
    assert alpha.written() == [(9, 8)]  # what nothing explained is taken back

    await alpha.loses_news_of("orders/create", "inventory_levels/update")
    await alpha.speaks_again()
    await seller.works()

    assert both(seller) == (8, 8)
    await seller.rests()
    assert both(seller) == (9, 9)


async def test_a_sale_of_a_kit_lowers_what_it_is_made_of_and_a_hold_on_it_holds_that(db: Database) -> None:
    stock = {"RED-CLOCK": 10, "STAND": 8}
    async with a_seller_with_shops(db, stock, kits={"KIT": {"RED-CLOCK": 1, "STAND": 2}}, shown={"KIT": 4}) as seller:
        alpha, beta = seller.shops.values()
        assert [beta.shows(code) for code in ("RED-CLOCK", "STAND", "KIT")] == [10, 8, 4]
        await alpha.loses_news()
        await alpha.sells("KIT")
        await beta.sells("KIT")
        await seller.works()

        assert seller.holds() == [("alpha", 1)]
        assert [beta.shows(code) for code in ("RED-CLOCK", "STAND", "KIT")] == [8, 4, 2]

        await seller.rests()
        for code, right in (("RED-CLOCK", 8), ("STAND", 4), ("KIT", 2)):
            assert both(seller, code) == (right, right)


# --- holds that end ----------------------------------------------------------------------------------------------


async def test_a_hold_does_not_end_while_the_shop_cannot_be_polled(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await alpha.loses_news()
    await alpha.meets("server_error", POLL, times=500)
    await alpha.sells(quantity=2)
    await beta.sells()
    await seller.works()
    assert seller.holds() == [("alpha", 2)]

    for _ in range(15):
        await seller.minute()

    assert both(seller) == (7, 7)
    await alpha.recovers()
    await seller.rests()
    assert both(seller) == (7, 7)


async def test_the_unit_of_a_hold_that_has_ended_is_offered_only_after_another_look_at_orders(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(9)
    await seller.passes(12.0)
    await seller.works()
    assert seller.holds() == [("alpha", 1)]
    for _ in range(11):
        await seller.passes(59.0)
        await seller.polls()
        await seller.works()
    await alpha.loses_news()
    await alpha.types(10)  # put back,
    await alpha.sells()  # and sold: the number is what it was, and nobody heard of either
    await seller.db.transact(expire_holds, 10, STALENESS_S, seller.now)

    await seller.passes(STALENESS_S)
    await seller.publishes("alpha")

    assert seller.holds() == []
    assert alpha.shows() == 9
    await seller.rests()
    assert both(seller) == (9, 9)


async def test_holds_that_have_not_run_out_stay(seller: Seller, alpha: Shop) -> None:
    await alpha.types(9)
    await seller.passes(12.0)
    await seller.works()

    await seller.passes(590.0)
    ended = await seller.db.transact(expire_holds, 10, STALENESS_S, seller.now)

    assert ended == 0
    assert seller.holds() == [("alpha", 1)]
