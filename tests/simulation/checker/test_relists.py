"""No knowing relist, and what excuses the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.simulation.checker.relists import find_relists, no_knowing_relist
from syncd.simulation.checker.truth import Listing
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings, Unpaid
from tests.simulation.checker.builders import AMAZON, EBAY, SHOP, Life, at
from tests.simulation.checker.conftest import rules


@pytest.fixture
def life() -> Life:
    return Life()


def look(life: Life, verdict: Verdict, happenings: Happenings | None = None) -> dict[str, int]:
    """Excused units by reason."""
    found = find_relists(life.truth(), life.book(), life.history, happenings or Happenings())
    no_knowing_relist(found, life.book(), verdict)
    return {reason: each.count for (_, reason), each in verdict.excused.items()}


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_a_write_of_a_known_sale_is_no_relist(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.opens(listing, 5)
    life.sells(listing, 0, "a", known=10)
    life.is_written(listing, decided=20, applied=25, value=9)

    assert (look(life, verdict), verdict.findings) == ({}, [])


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_a_raise_over_a_sale_long_made_and_not_known_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.opens(listing, 5)
    life.sells(listing, 0, "a", known=900)
    life.is_written(listing, decided=600, applied=610, value=9)

    assert look(life, verdict) == {}
    assert rules(verdict) == {"relist"}


@pytest.mark.parametrize("listing", [AMAZON, EBAY])
def test_a_sale_between_the_read_and_a_plain_set_is_the_race_that_no_rule_avoids(
    life: Life, verdict: Verdict, listing: Listing
) -> None:
    life.opens(listing, 5)
    life.sells(listing, 21, "a", known=60)
    life.is_written(listing, decided=20, applied=22, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P1": 1}, [])


@pytest.mark.parametrize(("sold", "fine"), [(60, True), (-60, False)])
def test_a_read_of_a_fast_run_of_real_processes_may_have_been_on_its_way_for_longer(
    life: Life, verdict: Verdict, sold: float, fine: bool
) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, sold, "a", known=300)
    life.is_written(EBAY, decided=120, applied=122, value=9)
    life.history.delay = timedelta(seconds=88.5)

    assert look(life, verdict) == ({"P1": 1} if fine else {})
    assert rules(verdict) == (set() if fine else {"relist"})


def test_the_race_excuses_no_compare_and_set(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 21, "a", known=60)
    life.is_written(SHOP, decided=20, applied=22, value=9)

    look(life, verdict)

    assert rules(verdict) == {"relist"}


def test_a_hidden_purchase_that_a_plain_set_erases_leaves_no_trace(life: Life, verdict: Verdict) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, 21, "a", paid=False)
    life.is_written(EBAY, decided=20, applied=22, value=9)
    happenings = Happenings(unpaid=[Unpaid("ebay-us", "a", frozenset({"CLOCK"}), at(21))])

    assert (look(life, verdict, happenings), verdict.findings) == ({"P2": 1}, [])


def test_a_lowering_write_gives_a_unit_back_too(life: Life, verdict: Verdict) -> None:
    life.opens(EBAY, 2)
    life.sells(EBAY, 21, "a", units=2, known=60)
    life.is_written(EBAY, decided=20, applied=22, value=1)

    assert look(life, verdict) == {"P1": 1}


def test_a_zero_gives_nothing_back(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 0)
    life.sells(SHOP, 0, "a")
    life.is_written(SHOP, decided=20, applied=22, value=0)

    assert (look(life, verdict), verdict.findings) == ({}, [])


def test_a_sale_that_is_held_back_is_no_relist(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.holds(SHOP, 60, since=-30, until=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert (look(life, verdict), verdict.findings) == ({}, [])


@pytest.mark.parametrize(("held", "excused"), [(1, False), (2, False), (3, True)])
def test_a_hold_stands_for_as_many_units_as_it_has(life: Life, verdict: Verdict, held: int, excused: bool) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", units=2, known=900)
    life.sells(SHOP, 10, "b", known=900)
    life.holds(SHOP, 60, since=-30, until=900, units=held)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {}
    assert rules(verdict) == (set() if excused else {"relist"})


def test_an_order_takes_its_unit_of_a_hold_with_it(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=300)
    life.sells(SHOP, 10, "b", known=900)
    life.sells(SHOP, 20, "c", known=900)
    life.holds(SHOP, 60, since=-30, until=900, units=2)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {}
    assert [each.detail for each in verdict.findings] == ["2 -> 9, 1 of it sold here and not known"]


def test_a_hold_that_ran_out_hides_as_many_units_as_it_had(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", units=2, known=9000)
    life.holds(SHOP, 60, since=-30, until=660, ran_out=True)
    life.is_written(SHOP, decided=700, applied=710, value=9)

    assert look(life, verdict) == {"a hold shorter than the order's delay": 1}
    assert rules(verdict) == {"relist"}


def test_a_lower_number_that_knows_nothing_of_a_sale_is_found(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=3)

    assert look(life, verdict) == {}
    assert rules(verdict) == {"relist"}


def test_a_hold_that_ended_before_the_order_came_is_named(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=9000)
    life.holds(SHOP, 60, since=-30, until=660, ran_out=True)
    life.is_written(SHOP, decided=700, applied=710, value=9)

    assert look(life, verdict) == {"a hold shorter than the order's delay": 1}


def test_a_sale_and_a_number_typed_up_look_as_if_nothing_had_been(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.is_typed(SHOP, 10, 5)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P3": 1}, [])


def test_a_number_typed_up_just_before_a_sale_hides_it_too(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.is_typed(SHOP, -5, 6)
    life.sells(SHOP, 0, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P3": 1}, [])


def test_a_number_typed_up_and_read_before_a_sale_hides_nothing(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.is_typed(SHOP, -2000, 6)
    life.sells(SHOP, 0, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {}
    assert rules(verdict) == {"relist"}


def test_a_number_typed_up_and_written_over_before_a_sale_hides_nothing(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.is_typed(SHOP, -20, 6)
    life.is_written(SHOP, decided=-11, applied=-10, value=5)
    life.sells(SHOP, 0, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {}
    assert rules(verdict) == {"relist"}


def test_a_unit_typed_hides_one_sold_and_no_other(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.is_typed(SHOP, 10, 5)
    life.sells(SHOP, 20, "b", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {"P3": 1}
    assert rules(verdict) == {"relist"}


def test_what_was_typed_hides_a_sale_until_its_order_shows(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=9000)
    life.is_typed(SHOP, 10, 5)
    life.is_written(SHOP, decided=600, applied=610, value=9)
    life.is_written(SHOP, decided=1600, applied=1610, value=19)

    assert (look(life, verdict), verdict.findings) == ({"P3": 2}, [])


def test_a_dropped_purchase_that_came_back_hides_the_next(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, -60, "dropped", paid=False)
    life.gives_back(SHOP, 5, "dropped")
    life.sells(SHOP, 6, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P4": 1}, [])


def test_a_unit_that_came_back_hides_one_and_no_more(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, -60, "dropped", paid=False)
    life.gives_back(SHOP, 5, "dropped")
    life.sells(SHOP, 6, "a", units=2, known=900)
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert look(life, verdict) == {"P4": 1}
    assert rules(verdict) == {"relist"}


def test_a_purchase_that_hides_behind_a_drop_does_so_until_its_order_shows(life: Life, verdict: Verdict) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, -60, "dropped", paid=False)
    life.gives_back(EBAY, 5, "dropped")
    life.sells(EBAY, 6, "a", known=3000)
    life.is_written(EBAY, decided=600, applied=610, value=9)
    life.is_written(EBAY, decided=1600, applied=1610, value=19)

    assert (look(life, verdict), verdict.findings) == ({"P4": 2}, [])


@pytest.mark.parametrize(("erased", "excused"), [(True, {"P2": 1}), (False, {})])
def test_of_two_sold_one_may_be_erased_and_its_order_end_the_hold_of_the_other(
    life: Life, verdict: Verdict, erased: bool, excused: dict[str, int]
) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, 0, "hidden", paid=False)
    life.holds(EBAY, 20, since=-30, until=60)
    life.sells(EBAY, 19.9, "a", known=60)
    if erased:
        life.is_written(EBAY, decided=20, applied=20.3, value=3)
    life.is_written(EBAY, decided=600, applied=610, value=9)
    happenings = Happenings(unpaid=[Unpaid("ebay-us", "hidden", frozenset({"CLOCK"}), at(0))])

    assert look(life, verdict, happenings) == excused
    assert rules(verdict) == (set() if erased else {"relist"})


def test_a_plain_set_that_lands_long_after_it_settled_is_recorded_as_late(life: Life, verdict: Verdict) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, -100, "a", known=900)
    life.is_written(EBAY, decided=20, applied=300, value=9)

    assert look(life, verdict) == {"P5": 1}


@pytest.mark.parametrize(("live", "excused"), [(-60, True), (60, True), (-3600, False)])
def test_a_hidden_purchase_older_than_the_first_read_was_never_seen_to_lower_a_number(
    life: Life, verdict: Verdict, live: float, excused: bool
) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, 0, "a", paid=False)
    life.is_written(EBAY, decided=600, applied=610, value=9)
    life.history.live_since = {"ebay-us": at(live)}
    happenings = Happenings(unpaid=[Unpaid("ebay-us", "a", frozenset({"CLOCK"}), at(0))])

    assert look(life, verdict, happenings) == ({"a hidden purchase older than the first read": 1} if excused else {})
    assert rules(verdict) == (set() if excused else {"relist"})


@pytest.mark.parametrize(("value", "found"), [(3, set()), (9, {"relist"})])
def test_a_lower_number_may_not_know_of_an_order_older_than_the_first_read(
    life: Life, verdict: Verdict, value: int, found: set[str]
) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.is_written(SHOP, decided=600, applied=610, value=value)
    life.history.live_since = {"main-shop": at(-60)}
    life.history.publications[SHOP][0] = replace(life.history.publications[SHOP][0], anchored_at=at(30))

    assert (look(life, verdict), rules(verdict)) == ({}, found)


def test_a_sale_given_back_in_time_is_no_relist(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=900)
    life.gives_back(SHOP, 30, "a")
    life.is_written(SHOP, decided=600, applied=610, value=9)

    assert (look(life, verdict), verdict.findings) == ({}, [])


def test_what_was_erased_is_told_beside_what_was_relisted(life: Life, verdict: Verdict) -> None:
    life.opens(EBAY, 5)
    life.sells(EBAY, 21, "a", known=60)
    life.is_written(EBAY, decided=20, applied=22, value=4)

    look(life, verdict)

    told = {name: n for name, n in verdict.figures.items() if name.startswith("relisted.ebay-us")}
    assert told == {"relisted.ebay-us.true": 0, "relisted.ebay-us.erased": 1}


def test_a_cancellation_that_the_book_had_not_learnt_of_hides_a_sale(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=10)
    life.sells(SHOP, 20, "b", known=90)
    life.gives_back(SHOP, 25, "a")
    life.history.applied[(SHOP[0], "a")].append(at(95))
    life.is_written(SHOP, decided=60, applied=60.5, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P4": 1}, [])


def test_a_cancelled_order_of_which_the_book_has_heard_the_sale_alone_hides_a_sale(
    life: Life, verdict: Verdict
) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=40)
    life.gives_back(SHOP, 1, "a")
    life.sells(SHOP, 20, "b", known=90)
    life.history.applied[(SHOP[0], "a")].append(at(95))
    life.history.released[(SHOP[0], "a")] = [at(95)]
    life.is_written(SHOP, decided=60, applied=60.5, value=9)

    assert (look(life, verdict), verdict.findings) == ({"P4": 1}, [])


def test_a_cancellation_that_the_book_knows_hides_nothing(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 0, "a", known=10)
    life.sells(SHOP, 20, "b", known=90)
    life.gives_back(SHOP, 25, "a")
    life.history.applied[(SHOP[0], "a")].append(at(30))
    life.is_written(SHOP, decided=60, applied=60.5, value=9)

    assert look(life, verdict) == {}
    assert rules(verdict) == {"relist"}
