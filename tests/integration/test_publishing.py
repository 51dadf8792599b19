"""Numbers as shops show them: the real publisher, poller, intake and channel against real sandboxes, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from syncd.db.database import Database
from syncd.db.lease import Fenced
from syncd.reconcile.audit import audit
from tests.support.shop import POLL, WRITE, Interrupted, PowerCut, Repeating, Seller, Shop, a_seller_with_shops


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
    await alpha.meets("internal_error", POLL, times=20)

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


async def test_a_number_that_cannot_be_exact_yet_is_not_read_over_and_over(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    await beta.sells()
    await seller.works()
    await alpha.sells()  # in the very second of the write: before or after it?
    await seller.takes_in()
    await seller.hears()
    reads = len(alpha.wire.reads)

    await seller.publishes()

    assert len(alpha.wire.reads) - reads <= 1
    await seller.rests()
    assert await both(seller) == (8, 8)


async def test_a_listing_that_sells_every_second_is_still_lowered_for_what_another_shop_sells(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 100}) as seller:
        alpha, beta = seller.shops.values()
        await alpha.types(99)
        for _ in range(15):
            await alpha.sells()
            await seller.works()
        await beta.sells(quantity=50)
        for _ in range(5):
            await alpha.sells()
            await seller.works()

        assert await alpha.shows() <= 100 - 50 - 20
        await seller.rests()
        assert await both(seller) == (30, 30)


# --- writes whose outcome is not known ------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "replays"), [("lost_reply", 1), ("truncated_json", 1), ("server_error", 0)])
async def test_a_write_without_an_answer_goes_out_again_with_the_same_bytes_under_the_same_key(
    seller: Seller, alpha: Shop, beta: Shop, fault: str, replays: int
) -> None:
    await beta.meets(fault, WRITE)
    await alpha.sells()

    await seller.works()
    await seller.publishes()

    first, again = beta.wire.writes
    assert first == again
    stats = await beta.stats()
    assert (stats["replays"], stats["writes_applied"]) == (replays, 1)
    assert await both(seller) == (9, 9)
    (push,) = seller.rows("SELECT state, attempts FROM push_batch")
    assert (push["state"], push["attempts"]) == ("settled", 2)


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
    assert await both(seller) == (8, 8)


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
    assert await both(seller) == (9, 9)
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
    assert await both(seller) == (9, 9)
    assert (await beta.stats())["writes_applied"] == 1


async def test_a_claim_whose_commit_was_not_answered_sends_what_it_has_stored(
    seller: Seller, alpha: Shop, beta: Shop
) -> None:
    seller.restarts("beta", Repeating(seller.db, "claim"))
    await alpha.sells()
    await seller.hears()

    await seller.publishes("beta")

    assert beta.written() == [(10, 9)]
    assert await both(seller) == (9, 9)


async def test_a_write_older_than_its_key_is_not_sent_again_but_read(seller: Seller, alpha: Shop, beta: Shop) -> None:
    seller.counts(15)
    await alpha.meets("lost_reply", WRITE)
    await seller.publishes("alpha")
    assert await alpha.shows() == 15  # it took effect, but we have not heard so
    await alpha.falls_silent()
    await alpha.sells(quantity=5)
    await seller.passes(30 * 3600.0)  # the channel has forgotten the key by now

    seller.restarts("alpha")
    await seller.publishes("alpha")

    assert alpha.written() == [(10, 15)]
    assert await alpha.shows() == 10
    await alpha.speaks_again()
    await seller.rests()
    assert await both(seller) == (10, 10)


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
    assert await both(seller) == (9, 9)
