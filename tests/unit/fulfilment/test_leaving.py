"""Pieces that left are shared out among order lines, and become whole units of them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from syncd.fulfilment.leaving import missing_pieces, note_pieces, units_left, units_to_book
from syncd.fulfilment.request import Part, Request
from syncd.orders.book import LineBook, OrderBook, Stage
from tests.support.builders import NOW

PLACE = 7
CODES = {1: "RED-CLOCK", 2: "STAND"}


def a_book_line(line_id: str, units: int, parts: Mapping[int, int]) -> LineBook:
    line = LineBook(line_id, NOW, components=tuple(parts.items()), quantity=units, held={PLACE: units})
    line.hand_over(PLACE, units)
    line.accept(PLACE)
    return line


def a_request(*lines: LineBook) -> Request:
    parts = tuple(
        Part(line, sku_id, CODES[sku_id], line.held[PLACE] * pieces, 0)
        for line in lines
        for sku_id, pieces in line.components
    )
    book = OrderBook(1, "1001", order_id=1, lines={line.channel_line_id: line for line in lines})
    nothing = dict.fromkeys(("submitted_at", "accepted_at", "cancel_wanted_at", "cancel_sent_at", "too_late_at"))
    return Request(
        1,
        PLACE,
        "syncd-1-1",
        "accepted",
        "W-1",
        "",
        1,
        settled_at=None,
        name="#1001",
        book=book,
        parts=parts,
        **nothing,
    )


def test_the_oldest_line_gets_its_pieces_first() -> None:
    first, second = a_book_line("1", 2, {1: 1}), a_book_line("2", 2, {1: 1})
    request = a_request(first, second)

    moved = note_pieces(request, {"RED-CLOCK": 3})

    assert [(part.line.channel_line_id, part.shipped) for part in moved] == [("1", 2), ("2", 1)]
    assert [units_to_book(request, line) for line in (first, second)] == [2, 1]
    assert missing_pieces(request) == 1


def test_codes_are_compared_as_people_read_them_and_strangers_are_left_out() -> None:
    line = a_book_line("1", 2, {1: 1})
    request = a_request(line)

    note_pieces(request, {" red-clock": 1, "Red-Clock": 1, "GIFT CARD": 9})

    assert units_to_book(request, line) == 2


def test_a_kit_counts_by_its_scarcest_component() -> None:
    line = a_book_line("1", 3, {1: 1, 2: 2})
    request = a_request(line)

    note_pieces(request, {"RED-CLOCK": 3, "STAND": 3})

    assert (units_left(request, line), units_to_book(request, line)) == (1, 1)


def test_no_more_is_booked_than_is_still_reserved() -> None:
    line = a_book_line("1", 3, {1: 1})
    request = a_request(line)
    line.spend(PLACE, Stage.ACCEPTED, 2)  # the channel said so before

    note_pieces(request, {"RED-CLOCK": 2})
    assert units_to_book(request, line) == 0
    note_pieces(request, {"RED-CLOCK": 9})

    assert units_to_book(request, line) == 1


def test_what_has_left_stays_so_whatever_the_warehouse_says_later() -> None:
    request = a_request(a_book_line("1", 3, {1: 1}))
    note_pieces(request, {"RED-CLOCK": 2})

    assert note_pieces(request, {"RED-CLOCK": 1}) == []
    assert note_pieces(request, {}) == []
    assert missing_pieces(request) == 1


@given(st.lists(st.integers(-2, 20), max_size=8), st.integers(1, 4), st.integers(1, 4))
def test_in_whatever_order_news_come_each_unit_is_booked_once(told: list[int], first: int, second: int) -> None:
    lines = [a_book_line("1", first, {1: 2}), a_book_line("2", second, {1: 1})]
    request = a_request(*lines)
    booked = 0

    for pieces in told:
        note_pieces(request, {"RED-CLOCK": pieces})
        for line in lines:
            units = units_to_book(request, line)
            line.spend(PLACE, Stage.ACCEPTED, units)
            booked += units

    most = max([0, *told])
    assert booked == min(first, most // 2) + min(second, max(0, most - 2 * first))
    assert all(units >= 0 for line in lines for _, _, units in line.stages())
