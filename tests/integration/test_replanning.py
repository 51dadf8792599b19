"""Reservations whose goods are not there go to where the goods are, as far as nobody has been asked to send them."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.db.database import Database
from syncd.orders.replan import STANDS_FOR, replan_short
from syncd.reconcile.audit import audit
from tests.integration import test_page_plans as plans
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

TWO = {"hamburg": "own", "berlin": "own"}
COUNTED = NOW + timedelta(minutes=5)
LATER = COUNTED + STANDS_FOR + timedelta(minutes=1)


def two_warehouses(db: Database, hamburg: int, berlin: int) -> Seller:
    return a_seller(db, {"hamburg": {"RED-CLOCK": hamburg}, "berlin": {"RED-CLOCK": berlin}}, warehouses=TWO)


def loses(seller: Seller, left: int, sku: str = "RED-CLOCK") -> None:
    seller.counts(sku, left, "hamburg", at=COUNTED)


def replans(seller: Seller, at: datetime = LATER) -> int:
    return seller.db.transact_now(replan_short, seller.views(), 10, at)


def test_goods_that_are_missing_are_sent_from_where_they_are(db: Database) -> None:
    seller = two_warehouses(db, 3, 3)
    seller.takes_in(an_order(quantity=3))
    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 3}

    loses(seller, 1)

    assert replans(seller) == 1
    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 1, ("1", "RED-CLOCK", "berlin"): 2}
    assert (seller.level().short, seller.level(warehouse="berlin").available) == (0, 1)
    assert (seller.open_alerts(), seller.shortages()) == ([], [])
    assert replans(seller) == 0
    assert audit(db).clean


def test_the_newest_orders_are_moved_first(db: Database) -> None:
    seller = two_warehouses(db, 2, 5)
    seller.takes_in(an_order(order_id="old"))
    seller.takes_in(an_order(order_id="new", placed_minute=1))

    loses(seller, 1)

    assert replans(seller) == 1
    assert seller.reserved("old") == {("1", "RED-CLOCK", "hamburg"): 1}
    assert seller.reserved("new") == {("1", "RED-CLOCK", "berlin"): 1}


def test_what_no_other_warehouse_has_stays_where_it_is_and_is_told(db: Database) -> None:
    seller = two_warehouses(db, 3, 1)
    seller.takes_in(an_order(quantity=3))

    loses(seller, 0)

    assert replans(seller) == 1
    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 2, ("1", "RED-CLOCK", "berlin"): 1}
    assert seller.shortages() == [], "it is promised, and was not oversold"
    assert seller.open_alerts() == ["short"]
    assert replans(seller) == 0


def test_a_number_just_counted_moves_nothing_yet(db: Database) -> None:
    seller = two_warehouses(db, 1, 1)
    seller.takes_in(an_order())
    loses(seller, 0)

    assert replans(seller, at=COUNTED + STANDS_FOR / 2) == 0
    assert seller.reserved() == {("1", "RED-CLOCK", "hamburg"): 1}
    assert replans(seller) == 1


def test_what_a_warehouse_was_asked_to_send_is_not_moved(db: Database) -> None:
    seller = two_warehouses(db, 1, 1)
    seller.takes_in(an_order())
    seller.does("UPDATE reservation SET stage = 'accepted' WHERE stage = 'held'")

    loses(seller, 0)

    assert replans(seller) == 0
    assert seller.reserved(stage="accepted") == {("1", "RED-CLOCK", "hamburg"): 1}


def test_a_kit_moves_whole_or_stays(db: Database) -> None:
    stock = {"hamburg": {"RED-CLOCK": 2, "STAND": 2}, "berlin": {"RED-CLOCK": 2, "STAND": 1}}
    seller = a_seller(db, stock, listings={"SET": {"RED-CLOCK": 1, "STAND": 1}}, warehouses=TWO)
    seller.takes_in(an_order(a_line("SET", 2)))

    loses(seller, 0)

    assert replans(seller) == 1
    held = seller.reserved()
    assert {place: pieces for (_, sku, place), pieces in held.items() if sku == "RED-CLOCK"} == {
        "hamburg": 1,
        "berlin": 1,
    }
    assert {place: pieces for (_, sku, place), pieces in held.items() if sku == "STAND"} == {"hamburg": 1, "berlin": 1}
    assert audit(db).clean


def test_orders_that_nobody_else_can_make_do_not_keep_others_from_being_looked_at(db: Database) -> None:
    stock = {"hamburg": {"RED-CLOCK": 4, "STAND": 3, "LAMP": 1}, "berlin": {"RED-CLOCK": 5, "LAMP": 1}}
    seller = a_seller(db, stock, listings={"SET": {"RED-CLOCK": 1, "STAND": 1}}, warehouses=TWO)
    seller.takes_in(an_order(a_line("LAMP"), order_id="movable"))
    for number in range(3):
        seller.takes_in(an_order(a_line("SET"), order_id=f"kit-{number}", placed_minute=1 + number))
    loses(seller, 0, "LAMP")
    loses(seller, 0)

    assert seller.db.transact_now(replan_short, seller.views(), 2, LATER) == 1
    assert seller.reserved("movable") == {("1", "LAMP", "berlin"): 1}


def test_of_two_lines_of_one_sku_no_more_is_moved_than_is_missing(db: Database) -> None:
    seller = two_warehouses(db, 4, 4)
    seller.takes_in(an_order(a_line(quantity=2, line_id="1"), a_line(quantity=2, line_id="2")))

    loses(seller, 1)

    assert replans(seller) == 1
    places = {"hamburg": 0, "berlin": 0}
    for (_, _, place), pieces in seller.reserved().items():
        places[place] += pieces
    assert places == {"hamburg": 1, "berlin": 3}, "one of four is there, and stays"
    assert audit(db).clean


def test_an_account_is_served_by_its_own_pool_alone(db: Database) -> None:
    seller = two_warehouses(db, 1, 1)
    seller.takes_in(an_order())
    loses(seller, 0)
    seller.does("DELETE FROM pool WHERE warehouse_id = (SELECT id FROM warehouse WHERE key = 'berlin')")

    assert replans(seller) == 0


def test_looking_for_what_can_be_moved_scans_no_table_that_grows(db: Database) -> None:
    seller = two_warehouses(db, 1, 1)
    explain = plans._sqlite_scans if db.writer.dialect.name == "sqlite" else plans._postgresql_scans

    with plans.planning(db) as connection:
        ran = plans._statements(connection, replan_short, (seller.views(), 500, LATER))
        scans = [each for statement, values in ran for each in explain(connection, statement, values)]

    assert [each for each in scans if "pool" not in each and "account" not in each] == []
