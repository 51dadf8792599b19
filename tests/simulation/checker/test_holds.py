"""What is held without a cause is found, and what excuses the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.simulation.checker.as_opened import Line, Row, units_as_opened
from syncd.simulation.checker.holds import AT_ITS_END, OWN_WRITE, RULE, nothing_is_held_for_nothing
from syncd.simulation.checker.truth import Listing
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import AMAZON, EBAY, SHOP, Life, at
from tests.simulation.checker.conftest import rules


@pytest.fixture
def life() -> Life:
    life = Life()
    for listing in (SHOP, AMAZON, EBAY):
        life.opens(listing, 9)
    return life


def look(life: Life, verdict: Verdict) -> set[str]:
    nothing_is_held_for_nothing(life.truth(), life.book(), life.history, verdict)
    return rules(verdict)


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_a_hold_where_nothing_went_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.sells(listing, 400, "after the read that opened it")
    life.holds(listing, 300, since=0, until=None)

    assert look(life, verdict) == {RULE}


def test_a_hold_of_nothing_is_found_when_its_time_was_up_long_ago(life: Life, verdict: Verdict) -> None:
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)

    assert look(life, verdict) == {RULE}


def test_a_purchase_that_no_order_shows_explains_its_units(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 100, "a", units=2, paid=False)
    life.holds(EBAY, 300, since=0, until=None, units=2)

    assert look(life, verdict) == set()


def test_a_purchase_explains_no_more_units_than_it_has(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 100, "a", paid=False)
    life.holds(EBAY, 300, since=0, until=None, units=2)

    assert look(life, verdict) == {RULE}


def test_a_purchase_that_is_held_twice_explains_one_hold(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 100, "a", paid=False)
    life.holds(EBAY, 300, since=0, until=None)
    life.holds(EBAY, 300, since=0, until=None)

    assert look(life, verdict) == {RULE}


def test_what_is_left_of_a_hold_after_its_order_came_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 100, "a", known=400)
    life.holds(SHOP, 300, since=0, until=400)
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)

    assert look(life, verdict) == {RULE}


def test_a_hold_that_its_order_has_ended_is_fine(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 100, "a", known=400)
    life.holds(SHOP, 300, since=0, until=400)

    assert look(life, verdict) == set()


def test_a_hold_that_ran_out_before_its_order_came_is_fine(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 100, "a", known=5000)
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)

    assert look(life, verdict) == set()


def test_an_order_may_have_ended_the_hold_of_another_purchase_of_that_time(life: Life, verdict: Verdict) -> None:
    life.sells(EBAY, 100, "dropped", paid=False)
    life.sells(EBAY, 310, "b", known=500)
    life.holds(EBAY, 300, since=0, until=500)
    life.holds(EBAY, 320, since=299, until=None)

    assert look(life, verdict) == set()


def test_an_order_that_was_cancelled_before_it_was_heard_of_explains_a_hold(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 100, "a", known=700)
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)
    life.gives_back(SHOP, 600, "a")

    assert look(life, verdict) == set()


@pytest.mark.parametrize(("typed", "found"), [(8, set()), (10, {RULE})])
def test_a_number_typed_lower_explains_a_hold_and_a_higher_one_does_not(
    life: Life, verdict: Verdict, typed: int, found: set[str]
) -> None:
    life.is_typed(SHOP, 100, typed)
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)

    assert look(life, verdict) == found


def test_a_known_sale_in_the_moment_of_the_read_that_opened_a_hold_is_a_matter_of_clocks(
    life: Life, verdict: Verdict
) -> None:
    life.sells(EBAY, 301, "a", known=360)
    life.holds(EBAY, 300, since=0, until=None, units=2)

    assert look(life, verdict) == {RULE}, "one of the two"
    assert verdict.excused[(RULE, AT_ITS_END)].count == 1


def test_a_known_sale_in_the_moment_of_the_read_before_may_or_may_not_be_in_it(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 1, "a", known=200)
    life.holds(SHOP, 300, since=0, until=900, ran_out=True)

    assert look(life, verdict) == set()


@pytest.mark.parametrize(("decided", "found"), [(100, set()), (None, {RULE}), (-2000, {RULE})])
def test_a_doubtful_hold_needs_a_write_that_may_have_landed(
    life: Life, verdict: Verdict, decided: float | None, found: set[str]
) -> None:
    if decided is not None:
        life.is_decided(EBAY, decided, 12)
    life.holds(EBAY, 300, since=0, until=600, ran_out=True, units=3, kind="doubtful")

    assert look(life, verdict) == found
    assert {each.reason: each.count for each in verdict.excused.values()} == ({} if found else {OWN_WRITE: 3})


@pytest.mark.parametrize("kind", ["doubtful", "give_back"])
@pytest.mark.parametrize(("called_off", "found"), [(290, set()), (-2000, {RULE})])
def test_a_hold_may_be_of_an_order_called_off_whose_channel_gives_nothing_back(
    life: Life, verdict: Verdict, called_off: float, found: set[str], kind: str
) -> None:
    life.sells(AMAZON, -5000, "a", known=-4990)
    life.orders[(AMAZON[0], "a")] = replace(life.orders[(AMAZON[0], "a")], cancelled=True, updated_at=at(called_off))
    life.holds(AMAZON, 300, since=0, until=600, ran_out=True, kind=kind)

    assert look(life, verdict) == found


@pytest.mark.parametrize(("back", "found"), [(100, set()), (None, {RULE})])
def test_a_give_back_is_held_only_where_units_came_back(
    life: Life, verdict: Verdict, back: float | None, found: set[str]
) -> None:
    life.sells(SHOP, -300, "a", known=-290)
    if back is not None:
        life.gives_back(SHOP, back, "a")
    life.holds(SHOP, 300, since=50, until=400, ran_out=True, kind="give_back")

    assert look(life, verdict) == found


def row(hold_id: int, since: float, until: float | None, left: int = 0, back: int = 0) -> Row:
    return Row(hold_id, 1, at(since), at(since + 60), at(since + 60), None if until is None else at(until), left, back)


def test_a_hold_began_with_what_is_left_of_it_what_came_back_and_what_orders_have_ended() -> None:
    lines = [Line(1, at(10), 2, at(100)), Line(1, at(20), 1, at(200)), Line(1, at(500), 4, at(510))]

    assert units_as_opened([row(1, 0, None, left=3, back=1)], lines) == {1: 7}


def test_an_order_ends_its_units_once_those_of_the_oldest_hold_first() -> None:
    lines = [Line(1, at(59), 1, at(200))]

    assert units_as_opened([row(2, 58, 900, left=1), row(1, 0, 200)], lines) == {1: 1, 2: 1}


def test_what_one_hold_leaves_of_an_order_ends_the_next() -> None:
    lines = [Line(1, at(59), 2, at(200))]

    assert units_as_opened([row(1, 0, 200), row(2, 58, 900, left=1)], lines) == {1: 2, 2: 2}


def test_an_order_learnt_of_after_a_hold_was_over_has_ended_nothing_of_it() -> None:
    lines = [Line(1, at(10), 1, at(901))]

    assert units_as_opened([row(1, 0, 900, left=1)], lines) == {1: 1}
