"""Units sold that never existed, and what had misled the shopper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from syncd.simulation.checker import oversold
from syncd.simulation.checker.book import Book, BookLine, BookOrder
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.counted import oversold_units_are_counted
from syncd.simulation.checker.misled import Misled
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.relists import find_relists
from syncd.simulation.checker.sold import Ledger
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.goods import Article
from syncd.simulation.happenings import Arrival, Happenings, Miscount, Outage, Unpaid
from tests.simulation.checker.builders import AMAZON, EBAY, SHOP, VENDORS, Life, at
from tests.simulation.checker.conftest import rules


@pytest.fixture
def life() -> Life:
    """One piece in all, shown everywhere."""
    life = Life()
    for listing in (SHOP, AMAZON, EBAY):
        life.opens(listing, 1)
    return life


def a_scene(happenings: Happenings, *, back_orderable: bool = False) -> Any:
    clock = Article("CLOCK", "Clock", 1.0, "9.90", ("main-shop",), back_orderable=back_orderable)
    east = SimpleNamespace(key="east", kind="own", vendor=None)
    cast = SimpleNamespace(warehouses=(east,))
    channels = tuple(SimpleNamespace(key=key, warehouses=("east",)) for key in VENDORS)
    world = SimpleNamespace(
        articles=(clock,), stock={("CLOCK", "east"): 1}, cast=cast, channels=channels, warehouses=lambda kind: ()
    )
    return SimpleNamespace(world=world, happenings=happenings)


def look(
    life: Life, verdict: Verdict, happenings: Happenings | None = None, book: Book | None = None, **more: Any
) -> dict[str, int]:
    """Excused pieces by what misled."""
    happenings = happenings or Happenings()
    scene, truth, book = a_scene(happenings, **more), life.truth(), book or life.book()
    ledger = Ledger(scene, truth, Pieces(scene, truth, book), life.history)
    relists = find_relists(truth, book, life.history, happenings)
    judge = oversold.Judge(scene, truth, book, life.history, relists, Bounds(happenings))
    oversold.each_oversold_unit_has_a_cause(ledger, judge, verdict)
    oversold_units_are_counted(ledger, book, Bounds(happenings), verdict)
    return {reason: each.count for (_, reason), each in verdict.excused.items()}


def counted(life: Life, units: int = 1) -> Book:
    """The book with the oversold units counted, as they should be."""
    book = life.book()
    line = BookLine(1, None, units, 0, units, by_channel=False, parked=None, pieces={"CLOCK": 1})
    book.orders[("amazon-us", "b")] = BookOrder(1, "open", 1, at(0), {"1": line})
    return book


def test_what_is_there_is_not_oversold(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)

    assert (look(life, verdict), verdict.findings) == ({}, [])


def test_the_last_unit_sold_twice_within_the_lag_is_nobodys_fault(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)

    assert (look(life, verdict, book=counted(life)), verdict.findings) == ({"P7": 1}, [])


def test_a_sale_long_known_and_not_shown_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(EBAY, 3600, "b", known=3700)

    look(life, verdict, book=counted(life))

    assert rules(verdict) == {"oversold"}
    assert Misled.UNSHOWN.value in verdict.findings[0].detail


def test_a_sale_that_never_came_into_the_book_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a")
    life.sells(EBAY, 3600, "b", known=3700)

    look(life, verdict)

    assert rules(verdict) == {"oversold"}
    assert Misled.UNSEEN.value in verdict.findings[0].detail


def test_an_outage_extends_the_lag(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=3550)
    life.sells(EBAY, 3600, "b", known=3700)
    happenings = Happenings(outages=[Outage("main-shop", at(-60), at(3500))])

    assert (look(life, verdict, happenings, counted(life)), verdict.findings) == ({"P7": 1}, [])


def test_a_number_written_with_the_sale_known_is_not_excused_by_it(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.is_written(EBAY, decided=10, applied=11, value=1)
    life.sells(EBAY, 20, "b", known=40)

    look(life, verdict, book=counted(life))

    assert rules(verdict) == {"oversold"}
    assert Misled.NOTHING.value in verdict.findings[0].detail


def test_a_number_typed_by_hand_misleads(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.is_written(EBAY, decided=10, applied=11, value=0)
    life.is_typed(EBAY, 15, 1)
    life.sells(EBAY, 20, "b", known=40)

    assert look(life, verdict, book=counted(life)) == {Misled.TYPED.value: 1}
    assert verdict.findings == []


def test_an_unpaid_purchase_misleads_until_its_number_is_read(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 0, "a", paid=False)
    life.sells(SHOP, 1000, "b", known=1010)
    happenings = Happenings(unpaid=[Unpaid("ebay-us", "a", frozenset({"CLOCK"}), at(0))])

    assert look(life, verdict, happenings) == {Misled.UNPAID.value: 1}
    assert verdict.findings == []


def test_a_relisted_unit_is_sold_again(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 10.5, "a", known=60)
    life.is_written(EBAY, decided=10, applied=11, value=1)
    life.sells(EBAY, 20, "b", known=40)

    assert look(life, verdict, book=counted(life)) == {Misled.RELISTED.value: 1}
    assert verdict.findings == []


def given_back_while_wanted(life: Life, bought_again: float) -> Happenings:
    """The last piece is sold twice; then the purchase that eBay shows in no order is dropped, and bought again."""
    life.sells(SHOP, 0, "a", known=5)
    life.sells(EBAY, 10, "b", paid=False)
    life.holds(EBAY, 20, since=0, until=None)
    life.is_written(EBAY, decided=30, applied=31, value=0)
    life.gives_back(EBAY, 60, "b")
    life.sells(EBAY, bought_again, "c", known=bought_again + 20)
    return Happenings(unpaid=[Unpaid("ebay-us", "b", frozenset({"CLOCK"}), at(10), at(61))])


def test_a_unit_that_came_back_while_it_was_wanted_elsewhere_misleads(life: Life, verdict: Verdict) -> None:
    happenings = given_back_while_wanted(life, 80)

    assert look(life, verdict, happenings, counted(life)) == {"P7": 1, "P4": 1}
    assert verdict.findings == []


def test_a_unit_that_comes_back_misleads_although_the_book_never_knew_that_it_was_sold(
    life: Life, verdict: Verdict
) -> None:
    life.sells(EBAY, 0, "a", paid=False)
    life.is_written(EBAY, decided=10, applied=11, value=1)
    life.sells(EBAY, 12, "b", known=20)
    life.gives_back(EBAY, 2000, "a")
    life.sells(EBAY, 2010, "c", known=2020)
    happenings = Happenings(unpaid=[Unpaid("ebay-us", "a", frozenset({"CLOCK"}), at(0), at(2001))])

    assert look(life, verdict, happenings, counted(life)) == {Misled.RELISTED.value: 1, "P4": 1}
    assert verdict.findings == []


def test_a_unit_that_came_back_must_be_seen_by_the_next_read(life: Life, verdict: Verdict) -> None:
    happenings = given_back_while_wanted(life, 3600)

    look(life, verdict, happenings, counted(life))

    assert rules(verdict) == {"oversold"}
    assert Misled.NOTHING.value in verdict.findings[0].detail


def test_a_unit_that_came_back_explains_none_that_was_written_too_many(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 0, "a", known=5)
    life.is_written(EBAY, decided=10, applied=11, value=1)
    life.gives_back(EBAY, 20, "a")
    life.sells(EBAY, 30, "b", known=40)
    life.sells(EBAY, 31, "c", known=40)

    look(life, verdict, book=counted(life))

    assert rules(verdict) == {"oversold"}


def test_goods_that_arrived_in_time_are_there(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)
    happenings = Happenings(arrivals=[Arrival("east", "CLOCK", 1, at(10))])

    assert (look(life, verdict, happenings), verdict.findings) == ({}, [])


def test_what_may_be_back_ordered_is_not_oversold(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(SHOP, 20, "b", known=40)

    assert (look(life, verdict, back_orderable=True), verdict.findings) == ({}, [])


def test_a_unit_sold_elsewhere_misleads_a_listing_once(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=500)
    life.sells(AMAZON, 20, "b", known=40)
    life.is_written(AMAZON, decided=80, applied=81, value=1)
    life.sells(AMAZON, 90, "c", known=95)

    assert look(life, verdict, book=counted(life, 2)) == {"P7": 1}
    assert rules(verdict) == {"oversold"}
    assert Misled.NOTHING.value in verdict.findings[0].detail


def test_a_unit_sold_elsewhere_misleads_every_other_listing(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=500)
    life.sells(AMAZON, 20, "b", known=500)
    life.sells(EBAY, 40, "c", known=500)

    assert (look(life, verdict, book=counted(life, 2)), verdict.findings) == ({"P7": 2}, [])


def test_goods_that_came_in_for_what_was_missing_are_shown_anew(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=500)
    life.sells(AMAZON, 20, "b", known=40)
    life.is_written(AMAZON, decided=60, applied=61, value=1)
    life.sells(AMAZON, 70, "c", known=90)
    happenings = Happenings(arrivals=[Arrival("east", "CLOCK", 1, at(50))])

    assert (look(life, verdict, happenings, counted(life, 2)), verdict.findings) == ({"P7": 2}, [])


def test_of_more_sold_than_one_unit_elsewhere_explains_the_rest_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=500)
    life.is_written(AMAZON, decided=9, applied=10, value=3)
    life.sells(AMAZON, 20, "b", units=3, known=40)

    assert look(life, verdict, book=counted(life, 3)) == {"P7": 1}
    assert rules(verdict) == {"oversold"}


def test_a_number_typed_misleads_for_as_many_units_as_were_typed(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.is_written(EBAY, decided=10, applied=11, value=0)
    life.is_typed(EBAY, 15, 1)
    life.sells(EBAY, 20, "b", known=40)
    life.sells(EBAY, 30, "c", known=40)

    assert look(life, verdict, book=counted(life, 2)) == {Misled.TYPED.value: 1}
    assert rules(verdict) == {"oversold"}


def test_a_number_typed_and_written_over_misleads_nobody(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.is_typed(EBAY, 8, 4)
    life.is_written(EBAY, decided=10, applied=11, value=1)
    life.sells(EBAY, 20, "b", known=40)

    look(life, verdict, book=counted(life))

    assert rules(verdict) == {"oversold"}
    assert Misled.NOTHING.value in verdict.findings[0].detail


def test_a_relisted_unit_is_sold_again_once(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 10.5, "a", known=60)
    life.is_written(EBAY, decided=10, applied=11, value=2)
    life.sells(EBAY, 20, "b", known=40)
    life.sells(EBAY, 21, "c", known=40)

    assert look(life, verdict, book=counted(life, 2)) == {Misled.RELISTED.value: 1}
    assert rules(verdict) == {"oversold"}


def test_a_write_that_nothing_excuses_excuses_nothing(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, -3000, "a", known=900)
    life.is_written(SHOP, decided=0, applied=1, value=1)
    life.sells(SHOP, 20, "b", known=40)

    look(life, verdict, book=counted(life))

    assert rules(verdict) == {"oversold"}


def test_an_oversold_unit_that_the_book_does_not_count_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)

    look(life, verdict)

    assert rules(verdict) == {"oversold.uncounted"}


def test_of_two_oversold_units_both_are_to_be_counted(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=50)
    life.sells(AMAZON, 20, "b", known=50)
    life.sells(EBAY, 30, "c", known=50)

    look(life, verdict, book=counted(life, 1))

    assert rules(verdict) == {"oversold.uncounted"}


@pytest.mark.parametrize(("units", "found"), [(1, set()), (2, {"oversold.overcounted"})])
def test_no_more_is_to_be_counted_than_orders_lacked(life: Life, verdict: Verdict, units: int, found: set[str]) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)

    look(life, verdict, book=counted(life, units))

    assert rules(verdict) == found


def test_what_was_cancelled_and_not_heard_of_yet_may_be_counted(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.gives_back(SHOP, 30, "a")
    life.sells(SHOP, 35, "b", known=40)

    look(life, verdict, book=counted(life))

    assert verdict.findings == []


def test_an_oversold_unit_that_was_cancelled_before_the_book_knew_need_not_be_counted(
    life: Life, verdict: Verdict
) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)
    life.gives_back(SHOP, 30, "a")

    look(life, verdict)

    assert verdict.findings == []


def test_who_lacks_what_broke_or_was_counted_too_high_is_not_oversold(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", known=5)
    life.sells(AMAZON, 20, "b", known=40)
    happenings = Happenings(miscounts=[Miscount("east", "CLOCK", 1, at(-60), at(60))])

    look(life, verdict, happenings)

    assert verdict.findings == []
