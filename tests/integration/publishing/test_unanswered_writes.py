"""A write whose outcome nobody knows is done once, whoever owns the account by then."""

from __future__ import annotations

import pytest

from syncd.db.lease import Fenced
from tests.integration.publishing.shown import both
from tests.support.shop import WRITE, Interrupted, PowerCut, Repeating, Seller, Shop

# --- writes whose outcome is not known ---------------------------------------------------------------------------


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


# --- whose turn it is --------------------------------------------------------------------------------------------


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
