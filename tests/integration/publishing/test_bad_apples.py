"""A row that a channel refuses stops no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syncd.db.database import Database
from syncd.db.types import from_micros
from syncd.publishing.store.holds import must_read
from tests.integration.publishing.shown import both
from tests.support.shop import Seller, Shop, a_seller_with_shops

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


async def test_what_cannot_be_read_is_tried_again_soon_and_then_less_and_less_often(
    seller: Seller, alpha: Shop
) -> None:
    item = alpha.sandbox.shop.item_by_sku("RED-CLOCK")
    assert item is not None
    item.tracked = False
    seller.db.transact_now(must_read, [seller.cell(alpha)["listing_id"]], seller.now)

    waits = []
    for _ in range(8):
        await seller.publishes()
        (row,) = seller.rows("SELECT due_at FROM dirty_listing WHERE waits_for = 'unreadable at the channel'")
        waits.append((from_micros(row["due_at"]) - seller.now).total_seconds())
        await seller.passes(waits[-1])

    assert waits[0] == 60.0
    assert waits == sorted(waits)
    assert waits[-1] == 600.0


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
