"""Orders taken into a real book, on both engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from adapters.contract import OrderState, Problem
from syncd.db.database import Database
from syncd.fulfilment.ship import ship_order
from syncd.orders.apply import Applied
from syncd.reconcile.audit import audit
from tests.support.builders import (
    COUNTED_AT,
    NOW,
    Seller,
    a_line,
    a_seller,
    an_order,
    book_count,
    take_in,
)


@pytest.fixture(autouse=True)
def whole_book(db: Database) -> Iterator[None]:
    """After every scenario the audit must find the book whole."""
    yield
    assert audit(db).violations == ()


ON_POSTGRES = pytest.mark.parametrize(
    "engine_name", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
HAMBURG = ("1", "RED-CLOCK", "hamburg")


def test_a_new_order_reserves_its_units(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    (applied,) = seller.takes_in(an_order(sku="RED-CLOCK", quantity=2))

    assert applied.news
    assert seller.reserved() == {HAMBURG: 2}
    assert (seller.level().reserved, seller.level().available) == (2, 3)
    assert seller.rows("SELECT state FROM inbox")[0]["state"] == "applied"
    assert [row["kind"] for row in seller.rows("SELECT kind FROM movement ORDER BY seq")] == ["count", "reservation"]


def test_the_same_state_again_changes_nothing(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=2))
    before = seller.level()

    (again,) = seller.takes_in(an_order(quantity=2), way="poll")

    assert not again.news
    assert seller.level() == before
    assert [row["state"] for row in seller.rows("SELECT state FROM inbox ORDER BY id")] == ["applied", "ignored"]


def test_an_older_state_that_comes_late_changes_nothing(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=3, minute=5))

    (late,) = seller.takes_in(an_order(quantity=1, minute=1))

    assert not late.news
    assert seller.reserved() == {HAMBURG: 3}


def test_of_many_states_in_one_batch_the_newest_is_applied(db: Database) -> None:
    seller = a_seller(db)

    applied = seller.takes_in(
        an_order(quantity=3, minute=2), an_order(quantity=1, minute=0), an_order(quantity=4, minute=1)
    )

    assert sorted(each.news for each in applied) == [False, False, True]
    assert seller.reserved() == {HAMBURG: 3}
    assert seller.order()["applications"] == 1


def test_of_two_states_of_one_second_a_poll_is_believed_and_a_webhook_is_not(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=1))

    seller.takes_in(an_order(quantity=4), way="webhook")
    after_webhook = seller.reserved()
    seller.takes_in(an_order(quantity=2), way="poll")

    assert after_webhook == {HAMBURG: 1}
    assert seller.reserved() == {HAMBURG: 2}


def test_one_order_id_of_two_accounts_is_two_orders(db: Database) -> None:
    seller = a_seller(db, accounts=("shop", "outlet"))

    seller.takes_in(an_order(quantity=1), account="shop")
    seller.takes_in(an_order(quantity=2), account="outlet")

    assert seller.level().reserved == 3


@ON_POSTGRES
def test_an_order_taken_in_twice_at_once_is_reserved_once(db: Database) -> None:
    seller = a_seller(db, {"hamburg": {"RED-CLOCK": 1}, "berlin": {"RED-CLOCK": 1}}, warehouses=OWN)
    account = seller.accounts["shop"]
    orders = (an_order(quantity=1),)

    with db.writer.begin() as first:
        take_in(first, account.account_id, orders, "webhook", {account.account_id: account}, NOW, seller)
        second = _start_and_wait_for_lock(seller, *orders)
    second.join()

    assert [each.news for each in second.applied] == [False]
    assert seller.reserved() == {HAMBURG: 1}


@ON_POSTGRES
def test_an_order_that_moves_a_level_while_it_is_first_counted_is_decided_again_on_what_was_counted(
    db: Database,
) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1}, listings={"BLUE": {"BLUE-CLOCK": 1}})
    seller.takes_in(an_order(sku="BLUE", quantity=2))
    key = (seller.skus["BLUE-CLOCK"], seller.warehouses["hamburg"].warehouse_id)

    with db.writer.begin() as first:
        book_count(first, key, 5, 0, COUNTED_AT, 100)
        second = _start_and_wait_for_lock(seller, an_order(sku="BLUE", quantity=2, fulfilled=2, minute=1))
    second.join()

    assert [each.news for each in second.applied] == [True]
    assert seller.level("BLUE-CLOCK").on_hand == 3
    assert seller.shortages() == []


class _Second(threading.Thread):
    """Takes orders in at the same time as somebody else."""

    def __init__(self, seller: Seller, *orders: OrderState) -> None:
        super().__init__()
        self._seller = seller
        self._orders = orders
        self.applied: tuple[Applied, ...] = ()

    def run(self) -> None:
        self.applied = self._seller.takes_in(*self._orders, way="poll")


def _start_and_wait_for_lock(seller: Seller, *orders: OrderState) -> _Second:
    second = _Second(seller, *orders)
    second.start()
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        if seller.db.read_now(lambda connection: connection.execute(waiting).scalar_one()):
            return second
        time.sleep(0.01)
    raise AssertionError("the second does not wait for the first")


def test_an_edit_upwards_reserves_the_difference(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=2))

    seller.takes_in(an_order(quantity=4, minute=1))

    assert seller.reserved() == {HAMBURG: 4}
    assert seller.rows("SELECT d_reserved FROM movement ORDER BY seq")[-1]["d_reserved"] == 2


def test_an_edit_downwards_releases_the_difference(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=4))

    seller.takes_in(an_order(quantity=1, minute=1))

    assert seller.reserved() == {HAMBURG: 1}
    assert seller.rows("SELECT kind FROM movement ORDER BY seq")[-1]["kind"] == "release"


def test_an_edit_downwards_lets_go_of_what_is_short_first(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 2})
    seller.takes_in(an_order(quantity=5))

    seller.takes_in(an_order(quantity=3, minute=1))

    assert seller.reserved() == {HAMBURG: 2}
    assert seller.shortages() == [("RED-CLOCK", 1, "oversold")]


def test_a_cancelled_order_frees_its_units(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=3))

    seller.takes_in(an_order(quantity=0, cancelled=True, minute=1))

    assert seller.reserved() == {}
    assert seller.level().available == 5
    assert seller.order()["state"] == "cancelled"


def test_an_order_cancelled_after_a_part_of_it_left_frees_the_rest(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=3))
    seller.takes_in(an_order(quantity=3, fulfilled=1, minute=1))

    seller.takes_in(an_order(quantity=1, fulfilled=1, cancelled=True, minute=2))

    assert seller.reserved() == {}
    assert seller.reserved(stage="shipped") == {HAMBURG: 1}
    assert (seller.level().on_hand, seller.level().reserved) == (4, 0)


def test_a_fulfilled_order_ships_what_it_held(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=2))

    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=1), now=NOW + timedelta(minutes=1))

    assert seller.reserved() == {}
    assert seller.reserved(stage="shipped") == {HAMBURG: 2}
    assert (seller.level().on_hand, seller.level().reserved) == (3, 0)
    assert seller.order()["state"] == "fulfilled"


def test_an_order_that_leaves_though_it_was_short_takes_its_units_from_the_shelf(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 2})
    seller.takes_in(an_order(quantity=3))

    seller.takes_in(an_order(quantity=3, fulfilled=3, minute=1))

    assert seller.shortages() == []
    assert seller.reserved(stage="shipped") == {HAMBURG: 3}
    assert seller.level().on_hand == -1
    assert seller.open_alerts() == ["short"]


def test_what_left_before_the_stock_was_counted_is_in_the_count_already(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.counts("RED-CLOCK", 5, at=NOW + timedelta(hours=1))

    seller.takes_in(an_order(quantity=2, fulfilled=1))

    assert seller.level().on_hand == 5
    assert seller.reserved() == {HAMBURG: 1}


@pytest.mark.parametrize(("days", "on_hand"), [(6, 3), (8, 5)])
def test_where_no_one_says_when_goods_left_they_are_taken_to_leave_within_a_week(
    db: Database, days: int, on_hand: int
) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    placed_minute = -(days + 1) * 24 * 60  # the stock was counted a day ago
    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=1, placed_minute=placed_minute))

    assert seller.level().on_hand == on_hand


def test_what_is_said_to_have_left_after_the_count_is_believed(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=1, placed_minute=-20_000, fulfilled_minute=0))

    assert seller.level().on_hand == 3


def test_what_left_after_the_stock_was_counted_is_taken_from_it(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=1))

    assert seller.level().on_hand == 3


def test_reserved_units_that_left_before_a_count_are_not_taken_from_it_again(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=2))
    seller.counts("RED-CLOCK", 3, at=NOW + timedelta(hours=1))

    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=90, fulfilled_minute=30))

    level = seller.level()
    assert (level.on_hand, level.reserved, level.short) == (3, 0, 0)
    assert seller.reserved(stage="shipped") == {HAMBURG: 2}


def test_where_a_channel_does_not_say_when_its_last_word_before_the_count_says_enough(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=2))
    seller.counts("RED-CLOCK", 3, at=NOW + timedelta(hours=1))

    seller.takes_in(an_order(quantity=2, fulfilled=2, minute=30))

    assert (seller.level().on_hand, seller.level().reserved, seller.level().short) == (3, 0, 0)


def test_two_lines_of_one_order_never_get_the_same_unit(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 3})

    seller.takes_in(an_order(a_line(quantity=2, line_id="1"), a_line(quantity=2, line_id="2")))

    assert sum(seller.reserved().values()) == 3
    assert sum(pieces for _, pieces, _ in seller.shortages()) == 1


def test_orders_of_one_batch_never_get_the_same_unit_and_the_oldest_comes_first(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 3})

    seller.takes_in(
        an_order(order_id="young", quantity=2, placed_minute=1), an_order(order_id="old", quantity=2, placed_minute=0)
    )

    assert seller.level().reserved == 3
    assert seller.reserved("old") == {HAMBURG: 2}
    assert seller.shortages("young") == [("RED-CLOCK", 1, "oversold")]


def test_a_pack_takes_its_pieces_and_only_whole_packs(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 8}, listings={"THREE": {"RED-CLOCK": 3}})

    seller.takes_in(an_order(sku="THREE", quantity=3))

    assert seller.reserved() == {HAMBURG: 6}
    assert seller.shortages() == [("RED-CLOCK", 3, "oversold")]


def test_a_kit_comes_whole_from_one_warehouse(db: Database) -> None:
    stock = {"hamburg": {"CLOCK": 5, "STAND": 1}, "berlin": {"CLOCK": 1, "STAND": 4}}
    seller = a_seller(db, stock, listings={"KIT": {"CLOCK": 1, "STAND": 2}}, warehouses=OWN)

    seller.takes_in(an_order(sku="KIT", quantity=1))

    assert seller.reserved() == {("1", "CLOCK", "berlin"): 1, ("1", "STAND", "berlin"): 2}


def test_a_line_is_split_where_no_warehouse_has_it_all_and_ships_from_both(db: Database) -> None:
    seller = a_seller(db, {"hamburg": {"RED-CLOCK": 2}, "berlin": {"RED-CLOCK": 2}}, warehouses=OWN)
    seller.takes_in(an_order(quantity=3))

    seller.takes_in(an_order(quantity=3, fulfilled=3, minute=1))

    assert seller.reserved(stage="shipped") == {HAMBURG: 2, ("1", "RED-CLOCK", "berlin"): 1}
    assert (seller.level().on_hand, seller.level(warehouse="berlin").on_hand) == (0, 1)


OWN = {"hamburg": "own", "berlin": "own"}


def test_a_live_account_that_sold_too_much_has_a_shortage_and_tells_a_person(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1}, live=True)

    (applied,) = seller.takes_in(an_order(quantity=3))

    assert applied.oversold_units == 2
    assert seller.reserved() == {HAMBURG: 1}
    assert seller.shortages() == [("RED-CLOCK", 2, "oversold")]
    assert seller.open_alerts() == ["oversold"]


def test_an_observing_account_has_sold_nothing_that_we_showed(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1}, live=False)

    (applied,) = seller.takes_in(an_order(quantity=3))

    assert applied.oversold_units == 0
    assert seller.shortages() == [("RED-CLOCK", 2, "uncovered")]
    assert seller.open_alerts() == []


def test_a_listing_that_sells_below_zero_waits_for_stock_without_an_alarm(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1}, back_orderable=True)

    seller.takes_in(an_order(quantity=3))

    assert seller.shortages() == [("RED-CLOCK", 2, "backorder")]
    assert seller.open_alerts() == []


def test_a_cancelled_order_takes_its_shortage_and_its_alert_with_it(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1})
    seller.takes_in(an_order(quantity=3))

    seller.takes_in(an_order(quantity=0, cancelled=True, minute=1))

    assert seller.shortages() == []
    assert seller.open_alerts() == []


def test_an_account_without_a_warehouse_is_short_of_everything(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.stands_on()

    seller.takes_in(an_order(quantity=2))

    assert seller.shortages() == [("RED-CLOCK", 2, "oversold")]


def test_an_unmapped_line_keeps_its_order_and_tells_a_person(db: Database) -> None:
    seller = a_seller(db)

    seller.takes_in(an_order(a_line("RED-CLOCK", 1, line_id="1"), a_line("UNHEARD-OF", 2, line_id="2")))

    assert seller.reserved() == {HAMBURG: 1}
    assert seller.shortages() == [(None, 2, "unmapped")]
    assert seller.open_alerts() == ["unmapped"]


@pytest.mark.parametrize("sku", ["UNHEARD-OF", None])
def test_an_unmapped_line_that_is_cancelled_is_no_alarm_any_more(db: Database, sku: str | None) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(sku=sku, quantity=2))

    seller.takes_in(an_order(sku=sku, quantity=0, cancelled=True, minute=1))

    assert seller.shortages() == []
    assert seller.open_alerts() == []


def test_a_line_mapped_meanwhile_is_reserved_with_its_order_s_next_state(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 3})
    seller.takes_in(an_order(sku="TWO", quantity=2))
    seller.lists("TWO", {"RED-CLOCK": 2})

    seller.takes_in(an_order(sku="TWO", quantity=2, minute=1))

    assert seller.reserved() == {HAMBURG: 2}
    assert seller.shortages() == [("RED-CLOCK", 2, "oversold")]
    assert seller.open_alerts() == ["oversold"]


def test_a_parked_line_keeps_the_units_it_had_and_the_other_lines_go_on(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(a_line(quantity=2, line_id="1"), a_line(quantity=1, line_id="2")))

    seller.takes_in(an_order(a_line(line_id="1", parked="is not a number"), a_line(quantity=3, line_id="2"), minute=1))

    assert seller.reserved() == {HAMBURG: 2, ("2", "RED-CLOCK", "hamburg"): 3}
    assert seller.open_alerts() == ["parked_line"]


def test_a_parked_line_that_can_be_read_again_is_reserved_as_it_now_stands(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(a_line(parked="is not a number")))

    seller.takes_in(an_order(quantity=3, minute=1))

    assert seller.reserved() == {HAMBURG: 3}
    assert seller.open_alerts() == []


def test_an_order_whose_line_vanished_keeps_its_units_and_goes_in_review(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(a_line(quantity=2, line_id="1"), a_line(quantity=1, line_id="2")))

    seller.takes_in(an_order(a_line(quantity=2, line_id="1"), minute=1))

    assert seller.reserved() == {HAMBURG: 2, ("2", "RED-CLOCK", "hamburg"): 1}
    assert "1 line" in seller.order()["review"]
    assert seller.open_alerts() == ["order_in_review"]


@pytest.mark.parametrize("end", [{"fulfilled": 2}, {"quantity": 0, "cancelled": True}])
def test_an_order_that_is_over_needs_no_look_any_more(db: Database, end: dict[str, Any]) -> None:
    seller = a_seller(db)
    unknown = (Problem("currency", "'XXQ' is no currency we know"),)
    seller.takes_in(an_order(quantity=2, problems=unknown))
    assert seller.open_alerts() == ["order_in_review"]

    seller.takes_in(an_order(**({"quantity": 2} | end), minute=1, problems=unknown))

    assert seller.open_alerts() == []


def test_an_order_in_review_that_is_shipped_by_hand_needs_no_look_any_more(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=2, problems=(Problem("currency", "'XXQ' is no currency we know"),)))

    db.transact_now(ship_order, "#1001", None, seller.views(), NOW + timedelta(minutes=1))

    assert (seller.order()["state"], seller.open_alerts()) == ("fulfilled", [])


def test_an_order_with_an_unknown_currency_is_in_review_and_reserved(db: Database) -> None:
    seller = a_seller(db)
    unknown = (Problem("currency", "'XXQ' is no currency we know"),)

    seller.takes_in(an_order(quantity=2, problems=unknown))
    in_review = seller.open_alerts()
    seller.takes_in(an_order(quantity=2, minute=1))

    assert in_review == ["order_in_review"]
    assert seller.reserved() == {HAMBURG: 2}
    assert seller.open_alerts() == []


def test_a_sale_lowers_what_its_listing_is_expected_to_show_and_dirties_all_that_share_its_sku(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9}, listings={"THREE": {"RED-CLOCK": 3}}, accounts=("shop", "outlet"))

    seller.takes_in(an_order(sku="RED-CLOCK", quantity=2))

    sold = seller.rows("SELECT sold_hi, sold_lo FROM cell WHERE sold_hi <> 0")
    assert sold == [{"sold_hi": 2, "sold_lo": 2}]
    assert len(seller.rows("SELECT * FROM dirty_listing WHERE urgency = 0")) == 4


def test_a_cancellation_that_gives_units_back_raises_what_its_listing_is_expected_to_show(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(quantity=2))

    seller.takes_in(an_order(quantity=0, cancelled=True, minute=1))

    assert seller.rows("SELECT sold_hi, sold_lo FROM cell") == [{"sold_hi": 0, "sold_lo": 0}]


def test_an_order_eats_as_much_of_the_holds_as_it_explains_and_no_more(db: Database) -> None:
    seller = a_seller(db)
    listing_id, at = seller.listings["RED-CLOCK"], int(NOW.timestamp() * 1_000_000)
    seller.does(
        "INSERT INTO hold (listing_id, quantity, kind, from_at, to_at, expires_at, opened_at)"
        f" VALUES ({listing_id}, 1, 'shortfall', {at}, {at}, {at + 1}, {at}),"
        f" ({listing_id}, 3, 'shortfall', {at}, {at}, {at + 1}, {at})"
    )

    seller.takes_in(an_order(quantity=2))
    left = seller.rows("SELECT quantity, closed_at FROM hold WHERE closed_at IS NULL")
    seller.takes_in(an_order(order_id="1002", quantity=5))

    assert left == [{"quantity": 2, "closed_at": None}]
    assert seller.rows("SELECT quantity FROM hold WHERE closed_at IS NOT NULL") == [{"quantity": 0}, {"quantity": 0}]


def test_a_full_batch_takes_as_many_statements_as_a_small_one(db: Database) -> None:
    stock = {f"SKU-{number}": 3 for number in range(40)}
    seller = a_seller(db, stock)

    few, many = _statements(seller, 8, "a"), _statements(seller, 256, "b")

    assert many == few
    assert many <= 35


def _statements(seller: Seller, orders: int, prefix: str) -> int:
    """How many statements a batch of such orders takes, among them some that are short and some unmapped."""
    told = [
        an_order(
            a_line(f"SKU-{number % 40}", 2, line_id="1"),
            a_line(f"SKU-{(number + 7) % 40}" if number % 5 else "UNHEARD-OF", 9, line_id="2"),
            order_id=f"{prefix}{number}",
        )
        for number in range(orders)
    ]
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "inbox" not in statement or "UPDATE" in statement:  # filling the inbox is not the batch's work
            seen.append(statement)

    event.listen(seller.db.writer, "before_cursor_execute", note)
    try:
        seller.takes_in(*told)
    finally:
        event.remove(seller.db.writer, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("statement", ["UPDATE movement SET d_on_hand = 9", "DELETE FROM movement"])
def test_the_ledger_refuses_to_be_rewritten(db: Database, statement: str) -> None:
    seller = a_seller(db)

    with pytest.raises(DBAPIError, match="append-only"):
        seller.does(statement)


def test_the_database_refuses_a_reservation_that_nothing_covers(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    with pytest.raises(IntegrityError, match="ck_level_covered"):
        seller.does("UPDATE level SET reserved = 6")


def test_a_count_that_takes_away_what_is_reserved_is_booked_and_the_difference_is_short(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=4))

    seller.counts("RED-CLOCK", 1, at=COUNTED_AT + timedelta(days=2))

    level = seller.level()
    assert (level.on_hand, level.reserved, level.short, level.available) == (1, 4, 3, -3)
