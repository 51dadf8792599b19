"""The publishing rules for a compare-and-set number, one by one and all together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.publishing.cells import Cell, Step, acknowledged, choose, is_certified, read_back

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STALENESS = timedelta(seconds=2)


def a_cell(value: int | None = 10, **more: object) -> Cell:
    cell = Cell(1, "available", value, NOON, NOON + SECOND, certified=True, must_read=False)
    return replace(cell, **more)  # type: ignore[arg-type]  # test builder


def read(cell: Cell, shown: int, recent: int = 0, holds: int = 0):  # type: ignore[no-untyped-def]
    return read_back(cell, shown, recent, holds, NOON + 60 * SECOND, NOON + 61 * SECOND, STALENESS)


def test_a_lower_target_is_written_with_the_explained_value() -> None:
    choice = choose(a_cell(10, sold_hi=2, sold_lo=2), 5, live=True, raises_stop=None)

    assert (choice.step, choice.value, choice.expected) == (Step.WRITE, 5, 8)


def test_nothing_is_written_when_the_expected_number_is_the_target_whatever_was_sent_last() -> None:
    choice = choose(a_cell(10, sold_hi=2, sold_lo=2, published=10), 8, live=True, raises_stop=None)

    assert choice.step is Step.NOTHING


def test_a_raise_waits_for_a_certified_anchor() -> None:
    assert choose(a_cell(10, certified=False), 12, live=True, raises_stop=None).reason == "certification"
    assert choose(a_cell(10), 12, live=True, raises_stop=None).step is Step.WRITE


def test_lowering_does_not_wait_for_certification() -> None:
    assert choose(a_cell(10, certified=False), 3, live=True, raises_stop=None).step is Step.WRITE


def test_a_parked_line_stops_raises_and_no_lowering() -> None:
    assert choose(a_cell(10), 12, live=True, raises_stop="parked").step is Step.WAIT
    assert choose(a_cell(10), 8, live=True, raises_stop="parked").step is Step.WRITE


@pytest.mark.parametrize("cell", [a_cell(None), a_cell(must_read=True), a_cell(10, sold_lo=1), a_cell(unknown_value=3)])
def test_what_is_not_explained_is_read_before_anything_is_written(cell: Cell) -> None:
    assert choose(cell, 5, live=True, raises_stop=None).step is Step.READ


def test_one_write_in_flight_a_cell() -> None:
    assert choose(a_cell(in_flight_key="k"), 5, live=True, raises_stop=None).step is Step.WAIT


def test_an_account_that_is_not_live_writes_nothing() -> None:
    assert choose(a_cell(), 5, live=False, raises_stop=None).step is Step.WAIT


def test_a_negative_number_is_never_raised_to_zero() -> None:
    assert choose(a_cell(1, sold_hi=3, sold_lo=3), 0, live=True, raises_stop=None).step is Step.NOTHING


def test_a_read_that_matches_changes_nothing() -> None:
    reading = read(a_cell(10, sold_hi=2, sold_lo=2), 8)

    assert not reading.moved
    assert (reading.held, reading.surplus) == (0, 0)


def test_a_shortfall_is_held_and_the_new_anchor_is_not_certified() -> None:
    reading = read(a_cell(10), 7)

    assert reading.held == 3
    assert reading.cell.anchor_value == 7
    assert not reading.cell.certified


def test_a_known_sale_that_the_read_may_not_show_yet_is_no_surprise() -> None:
    reading = read(a_cell(10, sold_hi=1, sold_lo=1), 10, recent=1)

    assert not reading.moved
    assert reading.surplus == 0


def test_a_number_above_everything_explained_is_told() -> None:
    assert read(a_cell(10), 12).surplus == 2
    assert read(a_cell(10), 12, holds=2).surplus == 0


def test_a_read_sent_while_a_write_was_in_flight_is_ignored() -> None:
    cell = a_cell(10, in_flight_key="k", in_flight_value=4)

    assert read(cell, 4).cell == cell


def test_after_an_abandoned_write_both_numbers_are_possible() -> None:
    reading = read(a_cell(10, unknown_value=14), 13)

    assert reading.held == 1
    assert reading.cell.unknown_value is None


def test_what_was_learnt_while_a_write_flew_was_sold_after_it() -> None:
    flying = a_cell(
        10, sold_hi=3, sold_lo=3, in_flight_key="k", in_flight_value=5, in_flight_sold_hi=2, in_flight_sold_lo=2
    )

    cell = acknowledged(flying, NOON + 5 * SECOND, NOON + 6 * SECOND)

    assert (cell.anchor_value, cell.hi, cell.lo) == (5, 4, 4)
    assert cell.certified
    assert cell.in_flight_key is None


def test_an_acknowledgement_while_the_range_was_open_certifies_nothing() -> None:
    flying = a_cell(10, sold_hi=0, sold_lo=1, in_flight_key="k", in_flight_value=5)

    assert not acknowledged(flying, NOON, NOON + SECOND).certified


def test_an_anchor_is_certified_by_a_complete_poll_past_it_and_the_index_lag() -> None:
    cell = a_cell(certified=False)
    lag = timedelta(seconds=60)

    assert not is_certified(cell, None, lag)
    assert not is_certified(cell, NOON + 60 * SECOND, lag)
    assert is_certified(cell, NOON + 61 * SECOND, lag)
    assert not is_certified(replace(cell, must_read=True), NOON + 99 * SECOND, lag)


@given(
    anchor=st.integers(0, 20),
    sold=st.integers(0, 5),
    open_range=st.integers(0, 3),
    certified=st.booleans(),
    target=st.integers(0, 25),
)
def test_every_write_compares_with_an_exact_number_and_every_raise_is_certified(
    anchor: int, sold: int, open_range: int, certified: bool, target: int
) -> None:
    cell = a_cell(anchor, sold_hi=sold, sold_lo=sold + open_range, certified=certified)

    choice = choose(cell, target, live=True, raises_stop=None)

    if choice.step is Step.WRITE:
        assert cell.exact
        assert choice.expected == cell.hi
        assert choice.value == target
        assert choice.expected is not None
        assert target < choice.expected or certified
