"""Numbers as shops show them: the real publisher, poller, intake and channel against real sandboxes, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from syncd.accounts.go_live import NotReadyToGoLive, go_live
from syncd.accounts.store import set_state
from syncd.db.database import Database
from syncd.db.lease import Fenced
from syncd.publishing.store.holds import expire_holds
from syncd.reconcile.audit import audit
from tests.support.shop import READ, WRITE, Seller, Shop, a_seller_with_shops


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


async def both(seller: Seller, code: str = "RED-CLOCK") -> tuple[int, ...]:
    """What the shops show."""
    return tuple([await shop.shows(code) for shop in seller.shops.values()])


# --- a sale ---------------------------------------------------------------------------------------------------


async def test_a_sale_in_one_shop_lowers_the_others_listing_and_after_quiet_every_listing_is_right(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await alpha.sells(quantity=3)

    await seller.works()

    assert await both(seller) == (7, 7)
    assert beta.written() == [(10, 7)]
    assert alpha.written() == []  # the shop has counted itself down
    await seller.rests()
    assert await both(seller) == (7, 7)


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
    assert await both(seller) == (7, 7)

    await seller.polls("alpha")
    await seller.publishes()

    assert seller.holds() == []
    assert await both(seller) == (7, 7)
    (held,) = seller.rows("SELECT quantity, closed_at FROM hold")
    assert held["quantity"] == 0
    await seller.rests()
    assert await both(seller) == (7, 7)


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
    assert await both(seller) == (7, 7)
    assert seller.rows("SELECT sum(reserved) AS reserved FROM level")[0]["reserved"] == 3


async def test_a_restock_does_not_give_back_a_unit_sold_meanwhile(seller: Seller, alpha: Shop) -> None:
    await alpha.loses_news()
    await alpha.sells(quantity=4)
    seller.counts(15)

    await seller.works()

    assert alpha.written()[0] == (10, 15)
    assert await alpha.shows() == 6  # not raised: what it shows was just read, and no poll has looked past that
    await seller.rests()
    assert await both(seller) == (11, 11)


# --- raising and lowering -------------------------------------------------------------------------------------


async def test_a_raise_waits_for_a_complete_poll_past_the_anchor_and_lowering_does_not(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(8)  # what is read now is a new anchor
    await seller.passes(12.0)
    await seller.works()
    seller.counts(12)

    await seller.publishes("alpha")
    raised_unpolled = await alpha.shows()
    await seller.passes(30.0)
    await seller.polls()  # complete, but not past the anchor and the index lag
    await seller.publishes("alpha")
    raised_too_early = await alpha.shows()
    await seller.passes(40.0)
    await seller.polls()
    await seller.publishes("alpha")

    assert (raised_unpolled, raised_too_early) == (8, 8)
    assert await alpha.shows() == 10  # twelve less the two that are held
    seller.counts(5)
    await seller.publishes("alpha")
    assert await alpha.shows() == 3


async def test_lowering_needs_no_poll(seller: Seller, alpha: Shop) -> None:
    await alpha.types(8)
    await seller.passes(12.0)
    await seller.works()
    seller.counts(5)

    await seller.publishes("alpha")

    assert await alpha.shows() == 3


async def test_a_poll_that_breaks_off_certifies_nothing(seller: Seller, alpha: Shop) -> None:
    await alpha.types(8)
    await seller.passes(12.0)
    await seller.works()
    seller.counts(12)
    await seller.passes(120.0)
    await alpha.meets("internal_error", "orders", times=20)

    await seller.polls("alpha")
    await seller.publishes("alpha")

    assert await alpha.shows() == 8
    assert "channel_down" in seller.open_alerts()


# --- a person types a number ----------------------------------------------------------------------------------


async def test_a_number_typed_down_is_read_held_and_right_again_when_the_hold_has_ended(
    seller: Seller, alpha: Shop
) -> None:
    await alpha.types(7)
    await seller.passes(12.0)
    await seller.works()

    assert seller.holds() == [("alpha", 3)]
    assert await both(seller) == (7, 7)

    await seller.rests()

    assert seller.holds() == []
    assert await both(seller) == (10, 10)


async def test_a_number_typed_up_is_told_and_lowered_again_at_once(seller: Seller, alpha: Shop) -> None:
    await alpha.types(14)

    with capture_logs() as logs:
        await seller.passes(12.0)
        await seller.works()

    assert await both(seller) == (10, 10)
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
    assert await both(seller) == (8, 8)

    await alpha.types(9)
    await seller.passes(12.0)
    await seller.works()

    assert await both(seller) == (8, 8)
