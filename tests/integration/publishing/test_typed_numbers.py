"""Numbers that a person types into a shop are noticed, told and made right again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd.db.database import Database
from syncd.publishing.store.holds import must_read
from tests.integration.publishing.shown import both
from tests.support.shop import Seller, Shop, a_seller_with_shops


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


def blamed(logs: Sequence[Mapping[str, Any]]) -> list[int]:
    return [log["units"] for log in logs if log["event"] == "listing.raised_by_someone"]


async def test_a_number_typed_up_is_lowered_again_at_once_and_told_when_no_order_explains_it(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(14)

    with capture_logs() as early:
        await seller.passes(12.0)
        await seller.works()

    assert both(seller) == (10, 10)
    assert blamed(early) == [], "an order that gave them back may still be told"
    with capture_logs() as logs:
        await seller.rests()
        for _ in range(3):
            await seller.minute()
    assert blamed(logs) == [4], "once"
    assert seller.tally(alpha, "units_surplus") == 4
    assert seller.holds() == []
    assert seller.rows("SELECT * FROM surplus") == []


@pytest.mark.parametrize("change", ["cancelled", "edited"])
async def test_units_that_an_order_gave_back_are_nobody_s_doing_however_late_it_is_told(
    seller: Seller, alpha: Shop, change: str
) -> None:
    order_id = await alpha.sells(quantity=3)
    await seller.works()
    await seller.minute()
    await alpha.loses_news_of("orders/updated", "orders/edited", "orders/cancelled", "refunds/create")
    await (alpha.cancels(order_id) if change == "cancelled" else alpha.edits(order_id, 1))

    with capture_logs() as logs:
        await seller.passes(12.0)
        await seller.works()
        assert sum(row["units"] for row in seller.rows("SELECT units FROM surplus")) > 0, "it was read too early"
        for _ in range(5):
            await seller.minute()

    assert blamed(logs) == []
    assert seller.tally(alpha, "units_surplus") == 0
    assert seller.rows("SELECT * FROM surplus") == []
    await seller.rests()
    assert both(seller) == ((10, 10) if change == "cancelled" else (9, 9))


async def test_what_a_person_adds_to_what_an_order_gave_back_is_told_alone(seller: Seller, alpha: Shop) -> None:
    order_id = await alpha.sells(quantity=3)
    await seller.works()
    await seller.minute()
    await alpha.loses_news_of("orders/updated", "orders/edited", "orders/cancelled", "refunds/create")
    await alpha.cancels(order_id)
    await alpha.types(12)

    with capture_logs() as logs:
        await seller.passes(12.0)
        await seller.works()
        for _ in range(5):
            await seller.minute()

    assert blamed(logs) == [2]
    assert seller.tally(alpha, "units_surplus") == 2


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
