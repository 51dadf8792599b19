"""A paused account takes its orders in and sends nothing out; resumed it is what it was before."""

from __future__ import annotations

from syncd.accounts.pause import Change, pause_account, resume_account
from syncd.accounts.store import selling_accounts
from syncd.db.database import Database
from tests.support.builders import NOW, a_seller, an_order
from tests.support.shop import a_seller_with_shops


def test_pausing_and_resuming_twice_changes_nothing_more(db: Database) -> None:
    seller = a_seller(db)
    shop = seller.accounts["shop"].account_id

    paused = [db.transact_now(pause_account, shop, NOW) for _ in range(2)]
    resumed = [db.transact_now(resume_account, shop, NOW) for _ in range(2)]

    assert paused == [Change("live", "paused"), Change("paused", "paused")]
    assert resumed == [Change("paused", "live"), Change("live", "live")]
    assert [each.changed for each in (*paused, *resumed)] == [True, False, True, False]


def test_an_account_that_was_never_live_observes_again(db: Database) -> None:
    seller = a_seller(db, live=False)
    shop = seller.accounts["shop"].account_id

    db.transact_now(pause_account, shop, NOW)
    assert db.read_now(selling_accounts) == frozenset()
    done = db.transact_now(resume_account, shop, NOW)

    assert done == Change("paused", "observing")


async def test_the_orders_of_a_paused_account_are_reserved_and_its_numbers_stay(db: Database) -> None:
    async with a_seller_with_shops(db, {"RED-CLOCK": 10}) as seller:
        alpha, beta = seller.shops["alpha"], seller.shops["beta"]
        db.transact_now(pause_account, beta.account_id, seller.now)

        await beta.sells(quantity=2)
        await alpha.sells(quantity=3)
        for _ in range(3):
            await seller.minute()
        assert (alpha.shows(), beta.shows()) == (5, 8)
        assert beta.wire.writes == []

        db.transact_now(resume_account, beta.account_id, seller.now)
        await seller.rests()

        assert (alpha.shows(), beta.shows()) == (5, 5)


async def test_what_a_paused_account_sells_beyond_the_stock_is_an_oversell_and_people_are_told(db: Database) -> None:
    """Its number stays where we set it, so what it sells was promised by us."""
    async with a_seller_with_shops(db, {"RED-CLOCK": 2}) as seller:
        beta = seller.shops["beta"]
        db.transact_now(pause_account, beta.account_id, seller.now)

        await seller.shops["alpha"].sells(quantity=2)
        await seller.works()
        await beta.sells(quantity=2)
        await seller.works()

        assert "oversold" in seller.open_alerts()
        assert seller.tally(beta, "oversold_units") == 2


def test_what_an_account_paused_before_it_was_live_cannot_cover_is_no_oversell(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1}, live=False)
    db.transact_now(pause_account, seller.accounts["shop"].account_id, NOW)

    seller.takes_in(an_order(quantity=3))

    assert seller.shortages() == [("RED-CLOCK", 2, "uncovered")]
