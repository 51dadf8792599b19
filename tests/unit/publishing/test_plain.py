"""The rules for a channel that only sets numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.publishing.cells import OPEN, Cell, Step
from syncd.publishing.plain import READ_FIRST, UNCONFIRMED, Fresh, choose_plain, read_plain, set_applied, set_open

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STALENESS = 5 * SECOND


def a_cell(anchor: int = 10, **more: Any) -> Cell:
    known: dict[str, Any] = {
        "anchor_value": anchor,
        "anchor_lo_at": NOON - 65 * SECOND,
        "anchor_hi_at": NOON - 60 * SECOND,
        "certified": True,
        "must_read": False,
        "last_read_at": NOON - 60 * SECOND,
        "published": anchor,
    }
    return Cell(1, "quantity", **(known | more))


def flying(value: int, **more: Any) -> Cell:
    return a_cell(in_flight_key="k", in_flight_value=value, **more)


def chosen(cell: Cell, target: int, *, fresh: bool = True, read_tells: bool = True) -> tuple[Step, int | None, str]:
    just_read = Fresh(sure=True) if fresh else None
    choice = choose_plain(cell, target, live=True, raises_stop=None, read_tells=read_tells, fresh=just_read, now=NOON)
    return choice.step, choice.value, choice.reason


@pytest.mark.parametrize("target", [3, 12, 0])
def test_a_number_is_read_right_before_it_is_set(target: int) -> None:
    assert chosen(a_cell(), target, fresh=False) == (Step.READ, None, READ_FIRST)
    assert chosen(a_cell(), target)[:2] == (Step.WRITE, target)


def test_what_shows_right_is_neither_read_nor_set() -> None:
    assert chosen(a_cell(12, sold_hi=2, sold_lo=2), 10, fresh=False)[0] is Step.NOTHING


def test_a_raise_needs_a_certified_anchor_and_a_zero_none() -> None:
    assert chosen(a_cell(certified=False), 12) == (Step.WAIT, None, "certification")
    assert chosen(a_cell(certified=False), 0)[:2] == (Step.WRITE, 0)


def test_while_a_read_cannot_tell_yet_only_what_gives_nothing_back_is_set() -> None:
    still_open = a_cell(1, sold_lo=1)

    assert chosen(still_open, 1, read_tells=False)[2] == OPEN
    assert chosen(still_open, 0, read_tells=False)[:2] == (Step.WRITE, 0)


def test_nothing_is_set_while_a_write_may_still_land() -> None:
    assert chosen(a_cell(unknown_value=3), 0) == (Step.READ, None, UNCONFIRMED)
    assert chosen(flying(3), 0)[0] is Step.WAIT


def test_an_applied_write_is_never_certified_and_is_read_back() -> None:
    cell = set_applied(flying(7), NOON, NOON + SECOND, STALENESS)

    assert (cell.anchor_value, cell.published, cell.certified, cell.must_read) == (7, 7, False, True)
    assert cell.anchor_lo_at == NOON - 60 * SECOND - STALENESS  # a sale since that read may be erased
    assert (cell.anchor_hi_at, cell.not_before_read_at) == (NOON + SECOND, NOON + SECOND + STALENESS)


def test_a_sale_learnt_while_a_write_flew_may_be_erased_or_not() -> None:
    cell = set_applied(
        flying(7, sold_hi=3, sold_lo=3, in_flight_sold_hi=1, in_flight_sold_lo=1), NOON, NOON + SECOND, STALENESS
    )

    assert (cell.lo, cell.hi) == (5, 7)


def opened(value: int = 3, **more: Any) -> Cell:
    return set_open(flying(value, **more), NOON + 120 * SECOND, NOON + 20 * SECOND)


def read(cell: Cell, shown: int, at: datetime) -> Any:
    return read_plain(cell, shown, 0, 0, at, at + SECOND, STALENESS)


def test_a_read_that_shows_the_number_confirms_the_write_and_holds_nothing() -> None:
    reading = read(opened(3), 3, NOON + 30 * SECOND)

    assert (reading.confirmed, reading.held, reading.cell.anchor_value) == (True, 0, 3)
    assert (reading.cell.unknown_value, reading.cell.must_read, reading.cell.certified) == (None, False, False)


def test_a_read_too_early_says_nothing() -> None:
    assert read(opened(3), 10, NOON + 10 * SECOND).ignored


def test_a_read_of_the_old_number_waits_until_the_write_can_land_no_more() -> None:
    assert read(opened(3), 10, NOON + 124 * SECOND).pending
    late = read(opened(3), 10, NOON + 126 * SECOND)

    assert (late.pending, late.cell.anchor_value, late.cell.unknown_value, late.held) == (False, 10, None, 0)


def test_a_number_that_neither_outcome_explains_is_held_against_the_higher_of_both() -> None:
    late = read(opened(3), 2, NOON + 126 * SECOND)

    assert (late.cell.anchor_value, late.held, late.doubtful) == (2, 8, 7)


def test_a_sale_learnt_since_explains_a_lower_number() -> None:
    cell = replace(opened(3), sold_hi=1, sold_lo=1)

    assert read(cell, 2, NOON + 30 * SECOND).confirmed
    assert read(cell, 3, NOON + 30 * SECOND).confirmed


def test_a_sold_unit_that_shows_again_behind_our_write_is_counted() -> None:
    raced = set_applied(flying(7), NOON, NOON + SECOND, STALENESS)
    raced = replace(raced, sold_lo=2)  # an order placed between the read and the write

    erased = read(raced, 7, NOON + 10 * SECOND)
    kept = read(raced, 5, NOON + 10 * SECOND)

    assert (erased.relisted, kept.relisted) == (2, 0)


def test_a_unit_that_came_back_behind_our_write_is_not_counted_as_sold_again() -> None:
    written = set_applied(flying(7), NOON, NOON + SECOND, STALENESS)
    sold_since = replace(written, sold_hi=2, sold_lo=2)

    reading = read(sold_since, 7, NOON + 60 * SECOND)

    assert (reading.relisted, reading.surplus) == (0, 2)


def test_what_does_not_show_is_not_on_sale_again() -> None:
    emptied = set_applied(flying(0), NOON, NOON + SECOND, STALENESS)
    raced = replace(emptied, sold_lo=2)

    assert read(raced, 0, NOON + 10 * SECOND).relisted == 0


def test_units_back_on_sale_end_their_hold() -> None:
    reading = read_plain(a_cell(5), 8, 0, 2, NOON, NOON + SECOND, STALENESS)

    assert (reading.given_back, reading.surplus) == (2, 1)


def test_a_known_sale_that_a_write_may_have_erased_and_has_not_is_held_in_doubt_only() -> None:
    raced = replace(set_applied(flying(7), NOON, NOON + SECOND, STALENESS), sold_lo=2)

    kept = read(raced, 5, NOON + 10 * SECOND)
    less = read(raced, 4, NOON + 10 * SECOND)

    assert (kept.held, kept.doubtful) == (2, 2)
    assert (less.held, less.doubtful) == (3, 2)
