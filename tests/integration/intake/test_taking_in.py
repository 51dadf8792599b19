"""News lands in the book in batches, and one bad apple never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from adapters.contract import Ignored, Malformed, OrderNews, Problem
from syncd.db.database import Database
from syncd.orders.book import Incoming
from syncd.orders.inbox import load_new
from syncd.orders.intake import Intake
from syncd.orders.take_in import apply_batch
from syncd.reconcile.audit import audit
from syncd.stock.store import LevelMoved
from tests.integration.intake.desk import GONE, Desk, order_news
from tests.support.builders import NOW, a_line, an_order


def poison(order_id: str = "poison") -> OrderNews:
    """An order that no check of ours foresees and that the database refuses."""
    return OrderNews(an_order(replace(a_line(), quantity=-1), order_id=order_id))


async def test_an_order_is_taken_into_the_book(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2))

    assert await desk.intake.drain() == 1
    assert await desk.intake.drain() == 0

    assert desk.states() == ["applied"]
    assert desk.seller.level().reserved == 2
    assert desk.changed == 1, "an empty round wakes nobody"


async def test_a_batch_of_orders_is_one_transaction(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(50)))
    desk.db.calls.clear()

    assert await desk.intake.drain() == 50

    assert desk.db.calls == ["apply_batch"]
    assert desk.seller.level().reserved == 50


async def test_news_without_effect_is_settled_with_its_reason(desk: Desk) -> None:
    await desk.hears(Ignored("a test webhook"))

    await desk.intake.drain()

    (row,) = desk.seller.rows("SELECT state, reason FROM inbox")
    assert (row["state"], row["reason"]) == ("ignored", "a test webhook")


async def test_a_poison_order_is_parked_and_told_while_all_others_land(desk: Desk) -> None:
    orders = [poison() if n == 37 else order_news(str(n)) for n in range(64)]
    await desk.hears(*orders)
    desk.db.calls.clear()

    with capture_logs() as logs:
        assert await desk.intake.drain() == 64

    assert desk.states() == ["parked" if n == 37 else "applied" for n in range(64)]
    assert desk.seller.level().reserved == 63
    assert desk.db.calls.count("apply_batch") == 13, "found by halving: two tries for each of six halvings, and one"
    assert desk.seller.open_alerts() == ["parked_event"]
    (alert,) = desk.seller.rows("SELECT message FROM alert")
    assert "shop" in alert["message"]
    assert "IntegrityError" in alert["message"]
    (told,) = [line for line in logs if line["log_level"] == "error"]
    assert (told["event"], told["channel_order_id"], told["account"]) == ("order.parked", "poison", "shop")


async def test_several_poison_orders_are_parked_one_by_one(desk: Desk) -> None:
    bad = {0, 1, 31, 63}
    await desk.hears(*(poison(f"poison-{n}") if n in bad else order_news(str(n)) for n in range(64)))

    await desk.takes_all_in()

    assert [n for n, state in enumerate(desk.states()) if state == "parked"] == sorted(bad)
    assert desk.seller.level().reserved == 60
    assert desk.seller.open_alerts() == ["parked_event"] * 4
    (total,) = desk.seller.rows("SELECT n FROM tally WHERE name = 'parked_events'")
    assert total["n"] == 4


async def test_a_parked_order_is_not_tried_again_and_its_next_state_is_taken_in(desk: Desk) -> None:
    await desk.hears(poison("1001"))
    await desk.takes_all_in()
    desk.db.calls.clear()

    assert await desk.intake.drain() == 0
    await desk.hears(order_news("1001", quantity=3, minute=1))
    await desk.takes_all_in()

    assert desk.states() == ["parked", "applied"]
    assert desk.seller.level().reserved == 3


async def test_what_fails_while_it_is_read_is_parked_too(desk: Desk) -> None:
    await desk.hears(order_news("1"), RuntimeError("a bug in an adapter"), order_news("2"))

    with capture_logs() as logs:
        await desk.takes_all_in()

    assert desk.states() == ["applied", "parked", "applied"]
    assert desk.seller.open_alerts() == ["parked_event"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["event.parked"]


async def test_news_that_cannot_be_read_is_parked_and_told(desk: Desk) -> None:
    await desk.hears(Malformed(Problem("line_items", "is missing")), order_news("1001"))

    await desk.takes_all_in()

    assert desk.states() == ["parked", "applied"]
    (alert,) = desk.seller.rows("SELECT message, impact FROM alert")
    assert "(orders/updated) of shop cannot be read: line_items: is missing" in alert["message"]


async def test_news_of_an_account_no_longer_configured_is_kept_and_told(desk: Desk) -> None:
    retired = Intake(desk.db, {}, {}, desk.clock, lambda: None)
    await desk.hears(order_news("1001"))

    await retired.drain()

    assert desk.states() == ["parked"]
    (alert,) = desk.seller.rows("SELECT message FROM alert")
    assert "no longer in the configuration" in alert["message"]


async def test_trouble_with_the_database_leaves_everything_as_it_was(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(8)))

    def down(function: Callable[..., Any], *_: Any) -> None:
        if function is apply_batch:
            raise GONE

    desk.db.trouble = down
    with pytest.raises(OperationalError):
        await desk.intake.drain()
    assert desk.states() == ["new"] * 8
    assert desk.seller.open_alerts() == []
    assert desk.db.calls.count("apply_batch") == 1, "no order is to blame, so none is looked for"

    desk.db.trouble = lambda *_: None
    assert await desk.takes_all_in() == 8
    assert desk.seller.level().reserved == 8


async def test_an_order_whose_levels_are_never_as_loaded_stops_nobody_else(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(8)))

    def moved(function: Callable[..., Any], *arguments: Any) -> None:
        if function is apply_batch and any(each.order.channel_order_id == "5" for each in arguments[0]):
            raise LevelMoved("1 of 2 levels moved while they were being written")

    desk.db.trouble = moved
    rounds = 0
    while "new" in desk.states():
        rounds += 1
        with suppress(LevelMoved):
            await desk.intake.drain()

    assert desk.states() == ["applied"] * 5 + ["parked"] + ["applied"] * 2
    assert rounds > 2, "a writer that comes between is no row's fault"
    assert desk.seller.level().reserved == 7


async def test_trouble_in_the_middle_of_a_search_keeps_what_has_landed(desk: Desk) -> None:
    await desk.hears(*(order_news(str(n)) for n in range(7)), poison())

    def down_when_parking(function: Callable[..., Any], *_: Any) -> None:
        if function.__name__ == "park_row":
            raise GONE

    desk.db.trouble = down_when_parking
    with pytest.raises(OperationalError):
        await desk.intake.drain()
    assert desk.states() == ["applied"] * 7 + ["new"]

    desk.db.trouble = lambda *_: None
    await desk.takes_all_in()
    assert desk.states() == ["applied"] * 7 + ["parked"]
    assert desk.seller.level().reserved == 7


async def test_a_crash_between_commit_and_answer_applies_nothing_twice(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2))
    (row,) = await desk.db.read(load_new, 10)

    incoming = Incoming(desk.account.account_id, row.inbox_id, row.way, "digest", an_order(order_id="1001", quantity=2))
    views = {desk.account.account_id: desk.account}
    for _ in range(2):
        await desk.db.transact(apply_batch, (incoming,), views, NOW)

    assert desk.seller.level().reserved == 2


async def test_two_states_of_one_second_a_webhook_is_ignored_and_a_poll_believed(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=1))
    await desk.takes_all_in()

    await desk.hears(order_news("1001", quantity=4), way="webhook")
    await desk.takes_all_in()
    after_webhook = desk.seller.level().reserved
    await desk.hears(order_news("1001", quantity=2), way="poll")
    await desk.takes_all_in()
    after_poll = desk.seller.level().reserved
    await desk.hears(order_news("1001", quantity=3), way="fetch")
    await desk.takes_all_in()

    assert (after_webhook, after_poll, desk.seller.level().reserved) == (1, 2, 3)
    assert desk.states() == ["applied", "ignored", "applied", "applied"]


async def test_the_same_state_by_poll_and_webhook_is_applied_once(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=2), way="webhook")
    await desk.hears(order_news("1001", quantity=2), way="poll")

    await desk.takes_all_in()

    assert desk.seller.level().reserved == 2
    assert desk.seller.order()["applications"] == 1


async def test_an_older_state_that_comes_last_changes_nothing(desk: Desk) -> None:
    await desk.hears(order_news("1001", quantity=3, minute=5))
    await desk.hears(order_news("1001", quantity=1, minute=1), way="poll")

    await desk.takes_all_in()

    assert desk.seller.level().reserved == 3


async def test_an_oversold_order_is_told_after_its_commit(db: Database) -> None:
    desk = Desk(db, stock=1)
    await desk.hears(order_news("1001", quantity=3))

    with capture_logs() as logs:
        await desk.takes_all_in()

    (told,) = [line for line in logs if line["event"] == "order.oversold"]
    assert (told["account"], told["channel_order_id"], told["units"]) == ("shop", "1001", 2)
    assert desk.seller.open_alerts() == ["oversold"]


async def test_after_all_that_the_book_is_right(desk: Desk, db: Database) -> None:
    await desk.hears(*(order_news(str(n), quantity=n % 3) for n in range(20)), poison(), order_news("3", minute=2))
    await desk.hears(*(order_news(str(n), quantity=1, minute=3) for n in range(0, 20, 2)), way="poll")

    await desk.takes_all_in()

    assert audit(db).violations == ()
