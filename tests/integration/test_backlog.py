"""Orders from before an account went live are left to whoever sent them until then, and people are told once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from syncd.accounts.store import set_state
from syncd.db.database import Database
from tests.support.builders import an_order
from tests.support.outside import Shipping, shipping


def becomes(it: Shipping, state: str) -> None:
    account_id = it.seller.accounts["shop"].account_id

    def run(connection: Connection, at: datetime) -> None:
        set_state(connection, account_id, state, at)

    it.db.transact_now(run, it.clock.now())


def live_after(it: Shipping, *orders: str) -> None:
    """Let the account take these orders in while it observes, and go live."""
    it.takes_in(*(an_order(order_id=order_id) for order_id in orders))
    it.later()
    becomes(it, "live")


async def test_what_came_while_the_account_observed_is_not_sent_and_told_once(db: Database) -> None:
    it = shipping(db, live=False)
    live_after(it, "1001", "1002")

    await it.sends()
    await it.sends()

    assert (it.states(), it.warehouse.asked) == ([], [])
    assert "2 orders of shop from before it went live hold goods at 3pl" in it.alert("orders_not_sent")
    assert it.seller.rows("SELECT times FROM alert")[0]["times"] == 1
    it.proves()


async def test_what_was_placed_before_and_came_after_going_live_is_not_sent(db: Database) -> None:
    it = shipping(db, live=False)
    live_after(it)
    it.takes_in(an_order(placed_minute=2))

    await it.sends()

    assert it.states() == []
    assert it.seller.open_alerts() == ["orders_not_sent"]


async def test_what_is_placed_after_going_live_is_sent(db: Database) -> None:
    it = shipping(db, live=False)
    live_after(it, "1001")
    it.later()
    it.takes_in(an_order(order_id="1002", placed_minute=4))

    await it.sends()

    assert [asked.order_name for asked in it.warehouse.asked] == ["#1002"]


async def test_the_alert_ends_when_the_backlog_is_done_with(db: Database) -> None:
    it = shipping(db, live=False)
    live_after(it, "1001")
    await it.sends()

    it.takes_in(an_order(fulfilled=1, minute=5))
    await it.works.submit_due()

    assert it.seller.open_alerts() == []


async def test_a_pause_leaves_no_backlog_behind(db: Database) -> None:
    it = shipping(db, live=False)
    live_after(it)
    it.later()
    becomes(it, "paused")
    it.takes_in(an_order(placed_minute=6))
    await it.sends()
    assert it.states() == []

    it.later(3600)
    becomes(it, "live")
    await it.sends()

    assert it.states() == ["accepted"]
