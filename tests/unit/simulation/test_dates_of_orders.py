"""Dates of an orders file: whether they begin with the day is found out by the whole file, told, or asked for."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.simulation.replay.columns import OrdersUnreadable
from syncd.simulation.replay.dates import Dates, DayOrder, Undecided, find_order, read_instant
from syncd.simulation.replay.load import Loaded, Slice, load
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.scratch import Scratch

DAY, MONTH = DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST
SECOND_OF_JANUARY, FIRST_OF_FEBRUARY = datetime(2011, 1, 2, tzinfo=UTC), datetime(2011, 2, 1, tzinfo=UTC)
Read = Callable[..., tuple[Loaded, Scratch]]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Loads a file of one order a date."""
    opened: list[Scratch] = []

    def run(*dates: str, part: Slice | None = None, order: DayOrder | None = None) -> tuple[Loaded, Scratch]:
        file = tmp_path / "orders.csv"
        with file.open("w", newline="") as text:
            rows = [(number, "RED-CLOCK", 1, each) for number, each in enumerate(dates)]
            csv.writer(text).writerows([("order", "sku", "quantity", "placed_at"), *rows])
        scratch = Scratch(tmp_path / f"scratch{len(opened)}.db")
        opened.append(scratch)
        loaded = load(file, {}, part or Slice(), UTC, scratch, day_order=order)
        scratch.arrange(lambda order, channel: "main-shop")
        return loaded, scratch

    yield run
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("01/02/2011", FIRST_OF_FEBRUARY, SECOND_OF_JANUARY),
        ("1/2/2011", FIRST_OF_FEBRUARY, SECOND_OF_JANUARY),
        ("01-02-2011", FIRST_OF_FEBRUARY, SECOND_OF_JANUARY),
        ("1/2/11", FIRST_OF_FEBRUARY, SECOND_OF_JANUARY),
        ("01.02.2011", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("2011-02-01", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("2011/02/01", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("1 Feb 2011", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("Feb-01-11", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("Feb 1, 2011", FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY),
        ("13/02/2011", datetime(2011, 2, 13, tzinfo=UTC), None),
        ("02/13/2011", None, datetime(2011, 2, 13, tzinfo=UTC)),
        ("31/31/2011", None, None),
        ("11-02-01", None, None),
    ],
)
def test_a_date_is_read_as_it_is_meant(text: str, day_first: datetime | None, month_first: datetime | None) -> None:
    assert (read_instant(text, UTC, DAY), read_instant(text, UTC, MONTH)) == (day_first, month_first)


@pytest.mark.parametrize(
    ("clock", "hour", "minute"),
    [
        ("8:26", 8, 26),
        ("20:26:09", 20, 26),
        ("8:26 AM", 8, 26),
        ("8:26 pm", 20, 26),
        ("12:05 AM", 0, 5),
        ("12:05:00 p.m.", 12, 5),
        ("8:26PM", 20, 26),
    ],
)
@pytest.mark.parametrize("written", ["13/12/2010 {}", "13 Dec 2010, {}", "13.12.2010 {}"])
def test_a_clock_of_twelve_hours_is_read_like_one_of_24(written: str, clock: str, hour: int, minute: int) -> None:
    found = read_instant(written.format(clock), UTC, DAY)

    assert found is not None
    assert (found.date(), found.hour, found.minute) == (date(2010, 12, 13), hour, minute)


@pytest.mark.parametrize("text", ["", "13/12/2010 25:00", "13/12/2010 13:00 PM", "13/12/2010 0:10 am", "soon"])
def test_what_is_no_instant_is_none(text: str) -> None:
    assert read_instant(text, UTC, DAY) is None


def test_an_instant_without_an_offset_is_of_the_zone() -> None:
    london = ZoneInfo("Europe/London")

    assert read_instant("1/6/2011 8:26", london, DAY) == datetime(2011, 6, 1, 7, 26, tzinfo=UTC)
    assert read_instant("2011-06-01 08:26:00 +0200", london, DAY) == datetime(2011, 6, 1, 6, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["01/02/2011", "02/02/2011", "13/02/2011 9:00"], Dates(DAY, "13/02/2011 9:00")),
        (["01/02/2011", "", "02/13/2011"], Dates(MONTH, "02/13/2011")),
        (["2011-01-02", "01.02.2011", "02/02/2011", "99/99/2011"], Dates()),
    ],
)
def test_one_date_with_a_day_over_twelve_tells_for_all(texts: list[str], found: Dates) -> None:
    assert find_order(texts) == found


def test_where_none_tells_one_of_them_is_shown() -> None:
    with pytest.raises(Undecided) as found:
        find_order(["02/02/2011", "01/02/2011", "03/04/2011"])

    assert found.value.text == "01/02/2011"


@pytest.mark.parametrize(
    ("last", "first_day", "words"),
    [
        ("13/02/2011", FIRST_OF_FEBRUARY, "day-first, as 13/02/2011 shows"),
        ("02/13/2011", SECOND_OF_JANUARY, "month-first, as 02/13/2011 shows"),
    ],
)
def test_a_file_is_read_by_its_last_line_if_no_other_tells(
    read: Read, last: str, first_day: datetime, words: str
) -> None:
    loaded, scratch = read("01/02/2011", "02/01/2011", last, part=Slice(limit=1))

    assert loaded.lines == 1
    assert str(loaded.dates) == words
    assert scratch.span() == (first_day, first_day)


def test_a_file_that_never_tells_is_refused_with_the_option_to_set(read: Read) -> None:
    with pytest.raises(
        OrdersUnreadable, match=r"like 01/02/2011, can begin with .* --dates day-first or --dates month"
    ):
        read("01/02/2011", "03/04/2011")


def test_who_is_told_does_not_ask_the_file(read: Read) -> None:
    loaded, scratch = read("01/02/2011", "02/02/2011", order=DAY)

    assert str(loaded.dates) == "day-first, as told"
    assert scratch.span() == (FIRST_OF_FEBRUARY, FIRST_OF_FEBRUARY + timedelta(days=1))


def test_a_date_that_does_not_fit_the_others_is_a_broken_row_and_not_another_day(read: Read) -> None:
    loaded, scratch = read("13/02/2011", "02/14/2011")

    assert scratch.told() == {Reason.BROKEN: 1}
    assert loaded.examples[Reason.BROKEN] == [(3, "instant '02/14/2011'")]


def test_a_file_with_instants_that_leave_no_doubt_says_nothing_of_it(read: Read) -> None:
    assert str(read("2011-02-01T08:26:00Z")[0].dates) == ""
