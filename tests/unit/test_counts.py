"""What rows of a stock file say, and the movements that a count makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.csv_rows import Line, RowError
from syncd.stock.counts import Booked, Count, CountedWarehouse, CountRow, book, name_counts, read_counts
from syncd.stock.ledger import Cause, Ledger, Level, LevelKey

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
KEY = (7, 1)
HAMBURG = CountedWarehouse(1, "hamburg", "own", "Europe/Berlin")
WAREHOUSES = {"hamburg": HAMBURG, "amazon": CountedWarehouse(2, "amazon", "fba", "UTC")}


def a_row(**cells: str) -> Line:
    return 2, {"sku": "RED-CLOCK", "warehouse": "hamburg", "on_hand": "5", "as_of": "2026-11-26T12:00Z", **cells}


def read(*lines: Line | RowError, default_as_of: datetime | None = None) -> tuple[list[CountRow], list[RowError]]:
    return read_counts(lines, WAREHOUSES, NOW, default_as_of)


def a_count(on_hand: int, unavailable: int = 0, *, hours_ago: float = 1) -> Count:
    return Count(2, KEY, on_hand, unavailable, NOW - timedelta(hours=hours_ago))


def a_ledger(level: Level | None) -> Ledger:
    return Ledger({KEY: level} if level else {}, "count", NOW)


def booked(
    *counts: Count, level: Level | None = None, moved: tuple[int, int] = (0, 0), newest: str | None = None
) -> tuple[Booked, Ledger]:
    ledger = a_ledger(level)
    names: dict[LevelKey, str] = {KEY: newest} if newest else {}
    return book(counts, {KEY: moved}, names, ledger), ledger


# --- rows -----------------------------------------------------------------------------------------------------


def test_a_row_counts_a_sku_in_a_warehouse_at_an_instant() -> None:
    counts, rejected = read(a_row(unavailable="2", as_of="2026-11-26T12:00:30+01:00"))

    assert counts == [CountRow(2, "RED-CLOCK", HAMBURG, 5, 2, datetime(2026, 11, 26, 11, 0, 30, tzinfo=UTC))]
    assert not rejected


def test_an_instant_without_offset_is_the_warehouses_own_time() -> None:
    counts, _ = read(a_row(as_of="2026-07-01 12:00"))

    assert counts[0].as_of == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def test_a_default_stands_in_for_an_empty_instant() -> None:
    counts, _ = read(a_row(as_of=""), default_as_of=NOW)

    assert counts[0].as_of == NOW


@pytest.mark.parametrize(
    ("as_of", "problem"),
    [
        ("", "it is empty"),
        ("yesterday", "yesterday is not an instant"),
        ("2026-11-26", "2026-11-26 has no time of day"),
        ("2026-13-26T12:00", "2026-13-26T12:00 is not an instant"),
        ("2026-10-25T02:30", "2026-10-25T02:30 comes twice or never in Europe/Berlin, where clocks change then"),
        ("2026-03-29T02:30", "2026-03-29T02:30 comes twice or never in Europe/Berlin, where clocks change then"),
        ("2026-11-27T10:05:01Z", "2026-11-27T10:05:01Z is in the future"),
        ("1999-12-31T23:59Z", "1999-12-31T23:59Z is too long ago"),
        ("0001-01-01T00:00+14:00", "0001-01-01T00:00+14:00 is not an instant"),
    ],
)
def test_instants_that_cannot_be_are_refused(as_of: str, problem: str) -> None:
    counts, (error,) = read(a_row(as_of=as_of))

    assert counts == []
    assert (error.line, error.column, error.problem) == (2, "as_of", problem)


def test_a_clock_may_run_a_little_ahead_of_ours() -> None:
    counts, _ = read(a_row(as_of="2026-11-27T10:05Z"))

    assert counts[0].as_of == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"sku": " "}, "sku"),
        ({"warehouse": ""}, "warehouse"),
        ({"warehouse": "hambourg"}, "warehouse"),
        ({"warehouse": "amazon"}, "warehouse"),
        ({"on_hand": "-1"}, "on_hand"),
        ({"on_hand": "2.5"}, "on_hand"),
        ({"on_hand": ""}, "on_hand"),
        ({"unavailable": "x"}, "unavailable"),
        ({"unavailable": "6"}, "unavailable"),
    ],
)
def test_bad_cells_are_named_with_a_remedy(cells: dict[str, str], column: str) -> None:
    counts, (error,) = read(a_row(**cells))

    assert counts == []
    assert (error.line, error.column) == (2, column)
    assert error.remedy


def test_a_misspelt_warehouse_gets_its_name_back() -> None:
    _, (error,) = read(a_row(warehouse="hambourg"))

    assert error.remedy == "Did you mean hamburg?"


def test_rows_are_named_by_any_code_of_their_sku() -> None:
    counts, rejected = name_counts(
        [CountRow(2, " red  CLOCK", HAMBURG, 5, 0, NOW), CountRow(3, "x", HAMBURG, 5, 0, NOW)], {"red clock": 7}
    )

    assert counts == [Count(2, KEY, 5, 0, NOW)]
    assert [(error.line, error.column, error.problem) for error in rejected] == [(3, "sku", "no SKU is called x")]


def test_goods_counted_on_two_rows_are_not_booked_from_either() -> None:
    rows = [CountRow(2, "A", HAMBURG, 5, 0, NOW), CountRow(3, "uhr", HAMBURG, 4, 0, NOW)]

    counts, rejected = name_counts(rows, {"a": 7, "uhr": 7})

    assert counts == []
    assert [(error.line, error.problem) for error in rejected] == [
        (2, "A in hamburg is counted on line 3 too"),
        (3, "uhr in hamburg is counted on line 2 too"),
    ]


# --- movements ------------------------------------------------------------------------------------------------


def test_a_first_count_fills_an_empty_level() -> None:
    told, ledger = booked(a_count(10, 2))

    assert told == Booked(1, 0, ())
    assert ledger.level(*KEY) == Level(10, 2, 0, 0, 1, NOW - timedelta(hours=1))


def test_what_moved_after_the_count_is_kept() -> None:
    _, ledger = booked(a_count(10, 3), level=Level(on_hand=7, unavailable=1, reserved=2, seq=4), moved=(-2, 1))

    after = ledger.level(*KEY)
    assert (after.on_hand, after.unavailable, after.reserved) == (8, 4, 2)


def test_what_a_count_takes_from_reservations_is_short() -> None:
    _, ledger = booked(a_count(3), level=Level(on_hand=10, reserved=8, seq=1))

    after = ledger.level(*KEY)
    assert (after.on_hand, after.reserved, after.short) == (3, 8, 5)


def test_pieces_let_go_after_the_count_do_not_make_unavailable_negative() -> None:
    _, ledger = booked(a_count(10, 0), level=Level(on_hand=10, unavailable=0), moved=(0, -3))

    assert ledger.level(*KEY).unavailable == 0


def test_an_older_count_changes_nothing() -> None:
    newer = NOW - timedelta(minutes=30)

    told, ledger = booked(a_count(99), level=Level(on_hand=10, seq=1, as_of=newer))

    assert told == Booked(0, 0, ((a_count(99), newer),))
    assert ledger.movements == []


def test_a_repeated_count_changes_nothing_whatever_has_moved_since() -> None:
    count = a_count(10)

    told, ledger = booked(count, level=Level(on_hand=8, seq=3, as_of=count.as_of), moved=(-2, 0))

    assert told == Booked(0, 1, ())
    assert ledger.movements == []


def test_a_repeated_count_from_a_clock_that_runs_ahead_gives_no_shipped_unit_back() -> None:
    """A unit that left before the count's own instant, yet after the count was booked, is no part of `moved`."""
    count = Count(2, KEY, 10, 0, NOW + timedelta(minutes=3))

    told, ledger = booked(count, level=Level(on_hand=9, seq=3, as_of=count.as_of), newest=count.name)

    assert told == Booked(0, 1, ())
    assert ledger.movements == []


def test_a_count_of_the_same_instant_corrects_the_one_before() -> None:
    wrong, right = a_count(10), a_count(12)
    ledger = a_ledger(Level(on_hand=8, seq=3, as_of=wrong.as_of))

    told = book([right], {KEY: (-2, 0)}, {KEY: wrong.name}, ledger)

    assert told == Booked(1, 0, ())
    assert ledger.level(*KEY).on_hand == 10


def test_a_count_that_agrees_is_booked_as_news_of_its_instant() -> None:
    level = Level(on_hand=10, seq=3, as_of=NOW - timedelta(days=1))

    told, ledger = booked(a_count(10), level=level)

    assert told == Booked(1, 0, ())
    assert ledger.level(*KEY) == Level(10, 0, 0, 0, 4, NOW - timedelta(hours=1))


def test_each_booking_has_a_cause_of_its_own() -> None:
    first, second = a_count(10, hours_ago=2), a_count(10)

    _, ledger = booked(first, second)

    assert [movement.cause for movement in ledger.movements] == [Cause(first.name, 1), Cause(second.name, 2)]
