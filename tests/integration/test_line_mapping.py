"""An order line is mapped by its line key; one that names no listing by its code, where that is clear."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapters.contract import OrderLine
from syncd.db.database import Database
from syncd.orders.cover import cover_shortages
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

CLOCK = ("1", "RED-CLOCK", "hamburg")


def relisted(code: str | None = "RED-CLOCK", quantity: int = 2) -> OrderLine:
    return replace(a_line(quantity=quantity), line_key="2222/RED-CLOCK", code=code)


def sold(seller: Seller) -> int:
    return int(seller.rows("SELECT sum(sold_hi) AS n FROM cell")[0]["n"])


def test_a_relisted_item_is_mapped_by_its_code_and_lowers_the_number_of_its_channel_sku(db: Database) -> None:
    seller = a_seller(db)

    seller.takes_in(an_order(relisted()))

    assert seller.reserved() == {CLOCK: 2}
    assert seller.open_alerts() == []
    assert sold(seller) == 2


def test_a_listing_that_only_has_the_code_gives_its_goods_and_keeps_its_number(db: Database) -> None:
    seller = a_seller(db)
    seller.does("UPDATE listing SET channel_sku = 'item-7'")

    seller.takes_in(an_order(relisted()))

    assert seller.reserved() == {CLOCK: 2}
    assert sold(seller) == 0


def test_a_code_that_two_items_have_maps_nothing_and_is_told(db: Database) -> None:
    seller = a_seller(db, listings={"THREE": {"RED-CLOCK": 3}})
    seller.does("UPDATE listing SET code = 'RED-CLOCK' WHERE channel_sku = 'THREE'")

    seller.takes_in(an_order(relisted()))

    assert seller.reserved() == {}
    assert seller.open_alerts() == ["unmapped"]


def test_two_numbers_of_one_item_are_not_ambiguous(db: Database) -> None:
    seller = a_seller(db, listings={"SECOND": {"RED-CLOCK": 1}})
    seller.does("UPDATE listing SET code = 'RED-CLOCK', line_key = '1111/RED-CLOCK'")

    seller.takes_in(an_order(relisted()))

    assert seller.reserved() == {CLOCK: 2}


def test_another_account_s_listing_maps_nothing(db: Database) -> None:
    seller = a_seller(db, accounts=("shop", "outlet"))
    seller.does("UPDATE listing SET channel_sku = 'x', code = 'x' WHERE account_id = 1")

    seller.takes_in(an_order(relisted()))

    assert seller.open_alerts() == ["unmapped"]


def test_a_listing_named_by_the_line_key_is_believed_over_the_code(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5, "STAND": 5})

    seller.takes_in(an_order(replace(a_line("STAND"), code="RED-CLOCK")))

    assert seller.reserved() == {("1", "STAND", "hamburg"): 1}


def test_a_line_that_becomes_clear_later_is_covered_then(db: Database) -> None:
    seller = a_seller(db, listings={"THREE": {"RED-CLOCK": 3}})
    seller.does("UPDATE listing SET code = 'RED-CLOCK' WHERE channel_sku = 'THREE'")
    seller.takes_in(an_order(relisted()))

    assert db.transact_now(cover_shortages, seller.views(), 10, NOW).orders == 0
    seller.does("UPDATE listing SET code = 'THREE' WHERE channel_sku = 'THREE'")
    covered = db.transact_now(cover_shortages, seller.views(), 10, NOW + timedelta(minutes=1))

    assert covered.orders == 1
    assert seller.reserved() == {CLOCK: 2}
    assert seller.open_alerts() == []
