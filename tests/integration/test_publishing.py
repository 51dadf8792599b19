"""Numbers as shops show them: the real publisher, poller, intake and channel against real sandboxes, step by step."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from structlog.testing import capture_logs

from adapters.shopify.sandbox import ItemSeed, ShopSeed
from syncd.accounts.go_live import NotReadyToGoLive, go_live
from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.db.database import Database
from syncd.db.lease import Fenced
from syncd.fulfilment.ship import NothingToShip, ship_order
from syncd.publishing.marks import mark_listings
from syncd.publishing.store.holds import expire_holds, must_read
from syncd.reconcile.audit import audit
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.shop import (
    POLL,
    STALENESS_S,
    WRITE,
    Interrupted,
    PowerCut,
    Repeating,
    Seller,
    Shop,
    a_seller_with_shops,
)


@pytest.fixture
async def seller(db: Database) -> AsyncIterator[Seller]:
    """Ten red clocks in hamburg, on sale in the shops alpha and beta, live and at rest."""
    async with a_seller_with_shops(db) as opened:
        yield opened
        assert audit(db).violations == ()


@pytest.fixture
def alpha(seller: Seller) -> Shop:
    return seller.shops["alpha"]


@pytest.fixture
def beta(seller: Seller) -> Shop:
    return seller.shops["beta"]


def both(seller: Seller, code: str = "RED-CLOCK") -> tuple[int, ...]:
    """What the shops show."""
    return tuple(shop.shows(code) for shop in seller.shops.values())


# --- a sale ---------------------------------------------------------------------------------------------------


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


# --- raising and lowering -------------------------------------------------------------------------------------


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


# --- a person types a number ----------------------------------------------------------------------------------


async def test_a_number_typed_down_is_read_held_and_right_again_when_the_hold_has_ended(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(7)
    await seller.passes(12.0)
    await seller.works()

    assert seller.holds() == [("alpha", 3)]
    assert both(seller) == (7, 7)

    await seller.rests()

    assert seller.holds() == []
    assert both(seller) == (10, 10)


async def test_a_number_typed_up_is_told_and_lowered_again_at_once(seller: Seller, alpha: Shop) -> None:
    await alpha.types(14)

    with capture_logs() as logs:
        await seller.passes(12.0)
        await seller.works()

    assert both(seller) == (10, 10)
    assert [log["units"] for log in logs if log["event"] == "listing.raised_by_someone"] == [4]
    assert seller.tally(alpha, "units_surplus") == 4
    assert seller.holds() == []


async def test_a_number_typed_back_up_to_what_was_last_written_is_noticed_too(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await beta.sells()
    await seller.works()
    await seller.passes(30.0)
    await alpha.sells()
    await seller.works()
    await seller.passes(30.0)
    await seller.works()
    assert alpha.written() == [(10, 9)]
    assert both(seller) == (8, 8)

    await alpha.types(9)
    await seller.passes(12.0)
    await seller.works()

    assert both(seller) == (8, 8)


async def test_a_number_that_a_read_cannot_explain_yet_is_not_read_over_and_over(seller: Seller, alpha: Shop) -> None:
    await alpha.types(7)
    await alpha.sells()  # so shortly before the read that it may not show it
    await seller.hears()
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)
    reads = len(alpha.wire.reads)

    await seller.publishes()
    at_once = len(alpha.wire.reads) - reads
    await seller.passes(3.0)
    await seller.publishes()

    assert at_once == 1
    assert len(alpha.wire.reads) - reads == 2
    assert seller.cell(alpha)["sold_lo"] == seller.cell(alpha)["sold_hi"]
    await seller.rests()
    assert both(seller) == (9, 9)


async def test_a_listing_that_sells_every_second_is_still_lowered_for_what_another_shop_sells(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 100}) as seller:
        alpha, beta = seller.shops.values()
        await alpha.types(99)
        for second in range(20):
            await alpha.sells()
            if second == 15:
                await beta.sells(quantity=50)
            await seller.works()

        assert both(seller) == (29, 29)  # one is held
        await seller.rests()
        assert both(seller) == (30, 30)


# --- writes whose outcome is not known ------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "replays"), [("lost_reply", 1), ("truncated_json", 1), ("server_error", 0)])
async def test_a_write_without_an_answer_goes_out_again_with_the_same_bytes_under_the_same_key(
    seller: Seller, alpha: Shop, beta: Shop, fault: str, replays: int
) -> None:
    await beta.meets(fault, WRITE)
    await alpha.sells()

    await seller.works()
    await seller.passes(3.0)
    await seller.publishes()

    first, again = beta.wire.writes
    assert first == again
    stats = await beta.stats()
    assert (stats["replays"], stats["writes_applied"]) == (replays, 1)
    assert both(seller) == (9, 9)
    (push,) = seller.rows("SELECT state, attempts FROM push_batch")
    assert (push["state"], push["attempts"]) == ("settled", 2)


async def test_a_raise_that_never_arrived_holds_no_more_than_what_was_sold_meanwhile(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.loses_news()
    seller.counts(100)
    await alpha.meets("server_error", WRITE)
    await seller.publishes("alpha")

    await alpha.sells(quantity=2)
    await seller.passes(3.0)
    await seller.publishes()

    assert alpha.written()[:2] == [(10, 100), (10, 100)]
    assert seller.holds() == [("alpha", 2)]
    await seller.rests()
    assert both(seller) == (98, 98)


async def test_a_new_owner_repeats_the_former_owners_write_before_it_writes_anything_else(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await beta.meets("lost_reply", WRITE)
    await alpha.sells()
    await seller.works()
    await alpha.sells()
    await seller.hears()

    seller.restarts("beta")
    await seller.publishes()

    first, again, later = beta.wire.writes
    assert first == again
    assert later.key != first.key
    assert beta.written() == [(10, 9), (10, 9), (9, 8)]
    assert (await beta.stats())["writes_applied"] == 2
    assert both(seller) == (8, 8)


@pytest.mark.parametrize(
    ("transaction", "when", "sent"),
    [("claim", "after", 1), ("note_sent", "after", 1), ("settle", "before", 2), ("settle", "after", 1)],
)
async def test_a_power_cut_between_any_two_steps_of_a_write_loses_nothing_and_writes_once(
    seller: Seller, alpha: Shop, beta: Shop, transaction: str, when: str, sent: int
) -> None:
    seller.restarts("beta", Interrupted(seller.db, transaction, when, power_cut))
    await alpha.sells()
    await seller.hears()
    with pytest.raises(PowerCut):
        await seller.publishes("beta")

    seller.restarts("beta")
    await seller.publishes("beta")

    assert beta.written() == [(10, 9)] * sent
    assert len({write.key for write in beta.wire.writes}) == 1
    assert (await beta.stats())["writes_applied"] == 1
    assert both(seller) == (9, 9)
    assert seller.waiting()["writes"] == 0


def power_cut() -> None:
    raise PowerCut


@pytest.mark.parametrize(
    ("transaction", "when"), [("claim", "after"), ("note_sent", "before"), ("note_sent", "after"), ("settle", "before")]
)
async def test_a_database_that_fails_for_a_moment_leaves_no_write_behind(
    seller: Seller, alpha: Shop, beta: Shop, transaction: str, when: str
) -> None:
    seller.restarts("beta", Interrupted(seller.db, transaction, when, power_cut))
    await alpha.sells()
    await seller.hears()
    with pytest.raises(PowerCut):
        await seller.publishes("beta")  # this process goes on: its loop tries again

    await seller.publishes("beta")

    assert seller.waiting()["writes"] == 0
    assert both(seller) == (9, 9)
    assert (await beta.stats())["writes_applied"] == 1


async def test_a_claim_whose_commit_was_not_answered_sends_what_it_has_stored(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    seller.restarts("beta", Repeating(seller.db, "claim"))
    await alpha.sells()
    await seller.hears()

    await seller.publishes("beta")

    assert beta.written() == [(10, 9)]
    assert both(seller) == (9, 9)


async def test_a_write_older_than_its_key_is_not_sent_again_but_read(seller: Seller, alpha: Shop, beta: Shop) -> None:
    seller.counts(15)
    await alpha.meets("lost_reply", WRITE)
    await seller.publishes("alpha")
    assert alpha.shows() == 15  # it took effect, but we have not heard so
    await alpha.falls_silent()
    await alpha.sells(quantity=5)
    await seller.passes(30 * 3600.0)  # the channel has forgotten the key by now

    seller.restarts("alpha")
    await seller.publishes("alpha")

    assert alpha.written() == [(10, 15)]
    assert alpha.shows() == 10
    await alpha.speaks_again()
    await seller.rests()
    assert both(seller) == (10, 10)


async def test_a_write_is_not_begun_when_the_lease_is_nearly_over(seller: Seller, alpha: Shop, beta: Shop) -> None:
    seller.restarts("beta", lease_s=5.0)
    await alpha.sells()
    await seller.hears()

    await seller.publishes("beta")
    sent_late = list(beta.wire.writes)
    seller.restarts("beta")
    await seller.publishes("beta")

    assert sent_late == []
    assert beta.written() == [(10, 9)]


# --- whose turn it is -----------------------------------------------------------------------------------------


async def test_a_publisher_whose_account_another_process_took_over_sends_nothing(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    fenced = seller.publishers["beta"]
    seller.restarts("beta")
    await alpha.sells()
    await seller.hears()

    with pytest.raises(Fenced):
        await fenced.step()

    assert beta.wire.writes == []


@pytest.mark.parametrize(("transaction", "sent"), [("claim", 0), ("note_sent", 1)])
async def test_a_publisher_fenced_in_the_middle_of_a_write_leaves_it_to_its_successor(
    seller: Seller, alpha: Shop, beta: Shop, transaction: str, sent: int
) -> None:
    fenced = seller.restarts("beta", Interrupted(seller.db, transaction, "after", lambda: seller.takes("beta")))
    await alpha.sells()
    await seller.hears()

    with pytest.raises(Fenced):
        await fenced.step()
    sent_before = len(beta.wire.writes)
    seller.restarts("beta")
    await seller.publishes("beta")

    assert sent_before == sent
    assert len({(write.key, write.input) for write in beta.wire.writes}) == 1
    assert (await beta.stats())["writes_applied"] == 1
    assert both(seller) == (9, 9)


# --- one bad apple --------------------------------------------------------------------------------------------

CLOCKS = {"RED-CLOCK": 10, "BLUE-CLOCK": 10, "GREEN-CLOCK": 10}


async def test_a_row_that_the_channel_refuses_is_told_and_left_out_and_the_others_go_out_under_a_new_key(
    db: Database,
) -> None:
    async with a_seller_with_shops(db, CLOCKS, shops=("alpha",)) as seller:
        alpha = seller.shops["alpha"]
        right = alpha.item("RED-CLOCK")
        seller.does("UPDATE listing SET channel_sku = 'gid://shopify/InventoryItem/1' WHERE code = 'RED-CLOCK'")
        for code in CLOCKS:
            seller.counts(7, code)

        await seller.publishes()

        first, second = alpha.wire.writes
        assert len(first.rows) == 3
        assert second.rows == {alpha.item("BLUE-CLOCK"): (10, 7), alpha.item("GREEN-CLOCK"): (10, 7)}
        assert first.key != second.key
        assert [alpha.shows(code) for code in CLOCKS] == [10, 7, 7]
        assert seller.open_alerts() == ["listing_refused"]

        seller.does("UPDATE listing SET channel_sku = :item WHERE code = 'RED-CLOCK'", item=right)
        await seller.rests()
        assert seller.open_alerts() == []


async def test_rows_that_a_refusal_does_not_name_are_halved_until_the_bad_one_stands_alone(db: Database) -> None:
    stock = {f"CLOCK-{number}": 10 for number in range(8)}
    async with a_seller_with_shops(
        db, stock, shops=("alpha",), more=lambda seed: replace(seed, stale_names_row=False)
    ) as seller:
        alpha = seller.shops["alpha"]
        await alpha.loses_news()
        await alpha.sells("CLOCK-3")
        for code in stock:
            seller.counts(6, code)

        await seller.publishes()

        assert [alpha.shows(code) for code in stock] == [6, 6, 6, 5, 6, 6, 6, 6]
        assert seller.tally(alpha, "stale") == 1
        assert seller.holds() == [("alpha", 1)]


async def test_a_number_that_the_channel_does_not_say_is_told_until_it_says_it_again(
    seller: Seller, alpha: Shop
) -> None:
    item = alpha.sandbox.shop.item_by_sku("RED-CLOCK")
    assert item is not None
    item.tracked = False
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)

    await seller.publishes()
    unreadable = seller.open_alerts()
    item.tracked = True
    await seller.rests()

    assert unreadable == ["listing_unreadable"]
    assert seller.open_alerts() == []


async def test_a_parked_line_stops_raises_of_its_own_listing_alone(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 10, "BLUE-CLOCK": 10}) as seller:
        alpha = seller.shops["alpha"]

        def garble(order: dict[str, Any]) -> None:
            order["line_items"][0] |= {"quantity": "two", "current_quantity": None}

        alpha.post.garble = garble
        await alpha.sells(quantity=2)
        await seller.passes(15.0)
        await seller.works()
        assert seller.holds() == [("alpha", 2)]  # that much its number gives away
        for code in ("RED-CLOCK", "BLUE-CLOCK"):
            seller.counts(20, code)

        await seller.publishes()

        assert "parked_line" in seller.open_alerts()
        assert both(seller, "BLUE-CLOCK") == (20, 20)
        assert both(seller) == (8, 18)
        seller.counts(5)
        await seller.publishes()
        assert both(seller) == (3, 3)  # lowering goes on

        seller.counts(20)
        alpha.post.garble = None
        await seller.rests()  # a poll reads the order as it is
        assert both(seller) == (18, 18)
        assert seller.open_alerts() == []


# --- orders that change ---------------------------------------------------------------------------------------


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


# --- holds that end -------------------------------------------------------------------------------------------


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


# --- accounts -------------------------------------------------------------------------------------------------


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


# --- shortages and shipments ----------------------------------------------------------------------------------


async def test_units_that_are_found_go_to_the_oldest_order_first(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 1}, shops=("alpha", "beta", "gamma")) as seller:
        alpha, beta, gamma = seller.shops.values()
        for shop in seller.shops.values():
            await shop.falls_silent()
            await seller.passes(5.0)
            await shop.sells()
        for shop in (gamma, alpha, beta):  # the newest order's news comes first
            await shop.speaks_again()
            await seller.works()
        assert short_of(seller) == ["alpha", "beta"]
        assert seller.open_alerts() == ["oversold", "oversold"]

        seller.counts(2)
        await seller.covers()
        assert short_of(seller) == ["beta"]
        seller.counts(3)
        await seller.covers()

        assert short_of(seller) == []
        assert seller.open_alerts() == []
        assert seller.tally(alpha, "oversold_units") + seller.tally(beta, "oversold_units") == 2
        await seller.rests()
        assert both(seller) == (0, 0, 0)


def short_of(seller: Seller) -> list[str]:
    """The shops with an open shortage."""
    found = seller.rows(
        "SELECT a.key FROM shortage s JOIN order_line l ON l.id = s.order_line_id"
        " JOIN sales_order o ON o.id = l.order_id JOIN account a ON a.id = o.account_id"
        " WHERE s.closed_at IS NULL ORDER BY a.key"
    )
    return [row["key"] for row in found]


async def test_an_order_shipped_by_hand_leaves_the_warehouse_once_and_changes_no_number(
    seller: Seller, alpha: Shop
) -> None:
    order = await alpha.sells(quantity=3)
    await seller.works()

    shipped = seller.db.transact_now(ship_order, "#1001", "alpha", seller.views, seller.now)
    await seller.passes(60.0)
    await alpha.fulfils(order)  # the channel hears of it later
    await seller.rests()

    assert (shipped.units, shipped.left) == ({"hamburg": 3}, 0)
    (level,) = seller.rows("SELECT on_hand, reserved FROM level")
    assert (level["on_hand"], level["reserved"]) == (7, 0)
    assert both(seller) == (7, 7)
    with pytest.raises(NothingToShip):
        seller.db.transact_now(ship_order, "#1001", "alpha", seller.views, seller.now)


# --- what is kept of buyers -----------------------------------------------------------------------------------


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


# --- two at a time --------------------------------------------------------------------------------------------


@contextmanager
def meanwhile(db: Database, marker: str, action: Callable[[], object]) -> Iterator[None]:
    """Just before the first statement that contains `marker`, let `action` run to its end or to a lock."""
    acting: list[threading.Thread] = []

    def interrupt(_c: Any, _cursor: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        if marker not in statement or acting:
            return
        acting.append(threading.Thread(target=action))
        acting[0].start()
        while acting[0].is_alive() and not db.read_now(waits_for_a_lock):
            acting[0].join(0.01)

    event.listen(db.writer, "before_cursor_execute", interrupt)
    try:
        yield
    finally:
        event.remove(db.writer, "before_cursor_execute", interrupt)
    assert acting, f"no statement contained {marker!r}"
    acting[0].join()


def waits_for_a_lock(connection: Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(connection.execute(text(waiting)).scalar_one())


@ON_POSTGRESQL
@pytest.mark.parametrize("marker", ["FROM cell", "JOIN hold", "sum(shortage", "level.on_hand", "DELETE FROM dirty"])
async def test_an_order_taken_in_while_a_number_is_derived_never_raises_it(
    seller: Seller, alpha: Shop, marker: str
) -> None:
    await alpha.sells()
    await seller.passes(10.0)  # in the inbox, and not in the book
    seller.db.transact_now(mark_listings, [seller.cell(alpha)["listing_id"]], seller.now)

    with meanwhile(seller.db, marker, lambda: asyncio.run(seller.intake.drain())):
        await seller.publishers["alpha"].step()
    await seller.publishes()

    assert alpha.written() == []
    assert both(seller) == (9, 9)


@ON_POSTGRESQL
async def test_an_order_taken_in_while_its_number_is_read_counts_once(seller: Seller, alpha: Shop, beta: Shop) -> None:
    await alpha.sells()
    await seller.passes(10.0)  # in the inbox, and not in the book
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)

    with meanwhile(seller.db, "UPDATE cell", lambda: asyncio.run(seller.intake.drain())):
        await seller.publishers["alpha"].step()

    cell = seller.cell(alpha)
    assert (cell["anchor_value"], cell["sold_hi"], cell["sold_lo"]) == (9, 0, 0)
    assert seller.holds() == []
    await beta.sells()
    await seller.works()
    assert alpha.written() == [(9, 8)]
    assert both(seller) == (8, 8)


@ON_POSTGRESQL
async def test_a_hold_that_ends_while_its_order_is_taken_in_ends_once(seller: Seller, alpha: Shop) -> None:
    await alpha.falls_silent()
    await alpha.sells()
    await seller.passes(10.0)
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)
    await seller.publishes()
    assert seller.holds() == [("alpha", 1)]
    await seller.passes(620.0)
    await alpha.speaks_again()
    await seller.passes(1.0)
    seller.does("UPDATE cursor SET horizon_at = (SELECT max(expires_at) FROM hold)")

    with meanwhile(seller.db, "UPDATE cell", lambda: asyncio.run(seller.intake.drain())):
        await seller.db.transact(expire_holds, 10, STALENESS_S, seller.now)

    assert seller.holds() == []
    await seller.rests()
    assert both(seller) == (9, 9)
