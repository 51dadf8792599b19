"""What a sale in one shop does to the numbers of all, raised and lowered, and what it does not."""

from __future__ import annotations

import json

from tests.integration.publishing.shown import both
from tests.support.shop import POLL, Seller, Shop

# --- a sale ------------------------------------------------------------------------------------------------------


async def test_a_sale_in_one_shop_lowers_the_others_listing_and_after_quiet_every_listing_is_right(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await alpha.sells(quantity=3)

    await seller.works()

    assert both(seller) == (7, 7)
    assert beta.written() == [(10, 7)]
    assert alpha.written() == []  # the shop has counted itself down
    await seller.rests()
    assert both(seller) == (7, 7)


async def test_a_decision_is_kept_only_where_the_number_changes(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await alpha.sells(quantity=3)
    await seller.works()

    seller.counts(10)  # the warehouse counts what is there already: each listing is derived again, and shows that
    await seller.rests()

    kept = seller.rows(
        "SELECT account.key, decision.outcome FROM decision JOIN listing ON listing.id = decision.listing_id"
        " JOIN account ON account.id = listing.account_id WHERE decision.kind = 'publication'"
    )
    assert [(each["key"], json.loads(each["outcome"])) for each in kept] == [("beta", {"from": 10, "to": 7})]


async def test_own_echoes_and_own_sales_cause_no_write_and_no_read(seller: Seller, alpha: Shop, beta: Shop) -> None:
    reads = len(alpha.wire.reads), len(beta.wire.reads)
    await alpha.sells()
    await seller.works()

    for _ in range(3):
        await seller.passes(20.0)  # the echo of the write and the lowered number of the sale are old enough to weigh
        await seller.works()

    assert seller.waiting() == {"events": 0, "writes": 0, "holds": 0, "listings": 0}
    assert (alpha.written(), beta.written()) == ([], [(10, 9)])
    assert (len(alpha.wire.reads), len(beta.wire.reads)) == reads


async def test_a_sale_in_the_very_second_of_a_write_leaves_nothing_open(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await beta.sells()
    await seller.works()
    reads = len(alpha.wire.reads)

    await alpha.sells(quantity=4)
    await seller.works()
    await seller.passes(5.0)
    await seller.publishes()

    assert both(seller) == (5, 5)
    assert seller.holds() == []
    assert len(alpha.wire.reads) == reads


async def test_a_sale_nobody_told_us_of_makes_the_write_stale_and_its_unit_is_held_until_the_order_comes(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await alpha.loses_news()
    await alpha.sells(quantity=2)
    await seller.passes(30.0)
    await beta.sells()

    await seller.works()

    assert alpha.written() == [(10, 9), (8, 7)]  # refused as stale, then read, then right
    assert seller.tally(alpha, "stale") == 1
    assert seller.holds() == [("alpha", 2)]
    assert both(seller) == (7, 7)

    await seller.polls("alpha")
    await seller.publishes()

    assert seller.holds() == []
    assert both(seller) == (7, 7)
    (held,) = seller.rows("SELECT quantity, closed_at FROM hold")
    assert held["quantity"] == 0
    await seller.rests()
    assert both(seller) == (7, 7)


async def test_a_hold_is_eaten_once_however_often_its_order_comes(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await alpha.falls_silent()
    await alpha.sells()
    await alpha.sells()
    await seller.passes(30.0)
    await beta.sells()
    await seller.works()
    assert seller.holds() == [("alpha", 2)]

    await alpha.speaks_again()
    for _ in range(3):
        await seller.works()
        await seller.polls()

    assert seller.holds() == []
    assert both(seller) == (7, 7)
    assert seller.rows("SELECT sum(reserved) AS reserved FROM level")[0]["reserved"] == 3


async def test_a_restock_does_not_give_back_a_unit_sold_meanwhile(seller: Seller, alpha: Shop) -> None:
    await alpha.loses_news()
    await alpha.sells(quantity=4)
    seller.counts(15)

    await seller.works()

    assert alpha.written()[0] == (10, 15)
    assert alpha.shows() == 6  # not raised: what it shows was just read, and no poll has looked past that
    await seller.rests()
    assert both(seller) == (11, 11)


# --- raising and lowering ----------------------------------------------------------------------------------------


async def test_a_raise_waits_for_a_complete_poll_past_the_anchor_and_lowering_does_not(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(8)  # what is read now is a new anchor
    await seller.passes(12.0)
    await seller.works()
    seller.counts(12)

    await seller.publishes("alpha")
    raised_unpolled = alpha.shows()
    await seller.passes(30.0)
    await seller.polls()  # complete, but not past the anchor and the index lag
    await seller.publishes("alpha")
    raised_too_early = alpha.shows()
    await seller.passes(40.0)
    await seller.polls()
    await seller.publishes("alpha")

    assert (raised_unpolled, raised_too_early) == (8, 8)
    assert alpha.shows() == 10  # twelve less the two that are held
    seller.counts(5)
    await seller.publishes("alpha")
    assert alpha.shows() == 3


async def test_lowering_needs_no_poll(seller: Seller, alpha: Shop) -> None:
    await alpha.types(8)
    await seller.passes(12.0)
    await seller.works()
    seller.counts(5)

    await seller.publishes("alpha")

    assert alpha.shows() == 3


async def test_a_poll_that_breaks_off_certifies_nothing(seller: Seller, alpha: Shop) -> None:
    await alpha.types(8)
    await seller.passes(12.0)
    await seller.works()
    seller.counts(12)
    await seller.passes(120.0)
    await alpha.meets("internal_error", POLL, times=20)

    await seller.polls("alpha")
    await seller.publishes("alpha")

    assert alpha.shows() == 8
    assert "channel_down" in seller.open_alerts()
