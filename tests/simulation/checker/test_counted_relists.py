"""The daemon's count of relisted units, neither too few nor too many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.simulation.checker.clocks import Clocks
from syncd.simulation.checker.counted_relists import relisted_units_are_counted
from syncd.simulation.checker.relists import find_relists
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings
from tests.simulation.checker.builders import AMAZON, SHOP, Life
from tests.simulation.checker.conftest import rules


@pytest.fixture
def life() -> Life:
    """A write that lands after 80 seconds."""
    life = Life()
    life.opens(AMAZON, 5)
    return life


def look(life: Life, verdict: Verdict, counted: int) -> set[str]:
    truth, book = life.truth(), life.book()
    book = replace(book, tallies={("account:amazon-us", "units_relisted"): counted})
    found = find_relists(truth, book, life.history, Happenings())
    relisted_units_are_counted(truth, book, life.history, found, verdict, Clocks(Happenings()))
    return rules(verdict)


@pytest.mark.parametrize(
    ("counted", "found"),
    [(0, {"relist.uncounted"}), (1, {"relist.uncounted"}), (2, set()), (3, {"relist.overcounted"})],
)
def test_what_a_write_erased_on_its_way_is_counted_once(
    life: Life, verdict: Verdict, counted: int, found: set[str]
) -> None:
    life.sells(AMAZON, 60, "a", units=2, known=200)
    life.is_written(AMAZON, decided=20, applied=100, value=9)

    assert look(life, verdict, counted) == found


@pytest.mark.parametrize(("value", "found"), [(8, {"relist.uncounted"}), (6, set())])
def test_a_number_far_below_is_written_before_anybody_looks(
    life: Life, verdict: Verdict, value: int, found: set[str]
) -> None:
    life.sells(AMAZON, 60, "a", known=90)
    life.is_written(AMAZON, decided=20, applied=100, value=9)
    life.is_written(AMAZON, decided=110, applied=120, value=value)

    assert look(life, verdict, 0) == found


@pytest.mark.parametrize("counted", [0, 1])
def test_a_sale_that_its_read_may_have_shown_may_be_counted(life: Life, verdict: Verdict, counted: int) -> None:
    life.sells(AMAZON, 0, "a", known=200)
    life.is_written(AMAZON, decided=20, applied=100, value=9)

    assert look(life, verdict, counted) == set()


def test_a_purchase_that_no_order_shows_is_never_counted(life: Life, verdict: Verdict) -> None:
    life.sells(AMAZON, 60, "a", paid=False)
    life.is_written(AMAZON, decided=20, applied=100, value=9)

    assert look(life, verdict, 0) == set()


@pytest.mark.parametrize(("counted", "found"), [(1, set()), (2, {"relist.overcounted"})])
def test_a_sale_behind_the_write_looks_erased_where_a_unit_came_back(
    life: Life, verdict: Verdict, counted: int, found: set[str]
) -> None:
    life.is_written(AMAZON, decided=20, applied=100, value=4)
    life.sells(AMAZON, 160, "a", units=2, known=200)
    life.is_typed(AMAZON, 180, 3)

    assert look(life, verdict, counted) == found


def test_a_cancelled_sale_has_erased_nothing(life: Life, verdict: Verdict) -> None:
    life.is_written(AMAZON, decided=20, applied=100, value=4)
    life.sells(AMAZON, 2000, "a", known=2010)
    life.gives_back(AMAZON, 2100, "a")

    assert look(life, verdict, 1) == {"relist.overcounted"}


def test_a_compare_and_set_erases_nothing(life: Life, verdict: Verdict) -> None:
    life.opens(SHOP, 5)
    life.sells(SHOP, 60, "a", known=200)
    life.is_written(SHOP, decided=20, applied=100, value=9)
    book = replace(life.book(), tallies={("account:main-shop", "units_relisted"): 1})

    relisted_units_are_counted(life.truth(), book, life.history, (), verdict, Clocks(Happenings()))

    assert rules(verdict) == {"relist.overcounted"}


@pytest.mark.parametrize(("value", "found"), [(4, set()), (3, {"relist.overcounted"})])
def test_a_write_that_never_landed_looks_as_if_it_had_where_a_sale_made_its_number(
    life: Life, verdict: Verdict, value: int, found: set[str]
) -> None:
    life.is_decided(AMAZON, 20, value)
    life.sells(AMAZON, 60, "a", known=200)  # 5 -> 4

    assert look(life, verdict, 1) == found
