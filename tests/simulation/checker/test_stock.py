"""The book proves itself, and agrees with what is there and what buyers are owed."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from syncd.db.database import Database
from syncd.simulation.checker import stock
from syncd.simulation.checker.book import Book, Shelf
from syncd.simulation.checker.ledger import nothing_is_promised_that_is_not_there, read_overdrawn
from syncd.simulation.checker.shown import numbers_are_right, read_sellable
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Arrival
from tests.simulation.checker.conftest import Spoilt, go_short_with_more_elsewhere, rules

RULES = (
    stock.open_demand_is_reserved_or_wanting,
    stock.nothing_is_reserved_twice,
    stock.shelves_hold_what_the_book_says,
    stock.shortages_are_what_is_missing,
)
ONE_RESERVED = "(SELECT rowid FROM level WHERE reserved > 0 LIMIT 1)"


def look(spoilt: Spoilt, verdict: Verdict) -> set[str]:
    book = spoilt.book()
    pieces = spoilt.pieces(book)
    for rule in RULES:
        rule(spoilt.rest.truth, book, pieces, verdict)
    numbers_are_right(spoilt.rest.truth, spoilt.read(read_sellable), pieces, verdict)
    return rules(verdict)


def test_a_clean_book_is_not_blamed(spoilt: Spoilt, verdict: Verdict) -> None:
    assert look(spoilt, verdict) == set()


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        (f"UPDATE level SET reserved = reserved - 1 WHERE rowid = {ONE_RESERVED}", "stock.demand"),
        (
            f"UPDATE level SET reserved = reserved + 200, on_hand = on_hand + 200 WHERE rowid = {ONE_RESERVED}",
            "stock.reserved_twice",
        ),
        ("UPDATE level SET on_hand = on_hand + 1 WHERE warehouse_id = 1 AND sku_id = 1", "stock.physical"),
        ("UPDATE level SET on_hand = on_hand + 1 WHERE warehouse_id = 3", "stock.physical"),
    ],
)
def test_a_level_that_is_not_as_it_should_be_is_found(
    spoilt: Spoilt, verdict: Verdict, change: str, blamed: str
) -> None:
    spoilt.sql(change)

    assert blamed in look(spoilt, verdict)


def test_a_shortage_of_what_is_there_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    line, sku = spoilt.ask("SELECT order_line_id, sku_id FROM reservation WHERE quantity > 0 LIMIT 1")
    spoilt.sql(
        "INSERT INTO shortage (order_line_id, sku_id, quantity, reason, opened_at) VALUES (?, ?, 1, 'oversold', 0)",
        line,
        sku,
    )

    assert {"stock.missing", "stock.demand"} <= look(spoilt, verdict)


def wanting(spoilt: Spoilt, verdict: Verdict, there: tuple[int, int], *lines: int) -> set[str]:
    """What is found when two warehouses have so many free, and lines lack a unit of so many pieces each."""
    book = Book({}, {}, {"east": "own", "west": "own"})
    for warehouse, units in zip(("east", "west"), there, strict=True):
        book.shelves[("CLOCK", warehouse)] = Shelf(units, 0, 0, 0)
    book.wanting["CLOCK"] = sum(lines)
    book.units_wanting["CLOCK"] += [{"CLOCK": pieces} for pieces in lines]
    pieces = spoilt.pieces(spoilt.book())
    pieces.wanted, pieces.there = Counter({"CLOCK": sum(lines)}), Counter({"CLOCK": sum(there)})
    stock.shortages_are_what_is_missing(spoilt.rest.truth, book, pieces, verdict)
    return rules(verdict)


@pytest.mark.parametrize(("there", "blamed"), [((2, 1), set()), ((3, 0), {"stock.missing"})])
def test_a_pack_that_no_single_warehouse_can_make_may_lack_its_pieces(
    spoilt: Spoilt, verdict: Verdict, there: tuple[int, int], blamed: set[str]
) -> None:
    assert wanting(spoilt, verdict, there, 3) == blamed


def test_a_pack_that_lacks_its_pieces_excuses_no_plain_unit_that_is_there(spoilt: Spoilt, verdict: Verdict) -> None:
    assert wanting(spoilt, verdict, (2, 0), 3, 1) == {"stock.missing"}


def test_goods_that_arrived_and_are_in_no_book_are_found(spoilt: Spoilt, verdict: Verdict) -> None:
    happenings = spoilt.rest.scene.happenings
    arrival = Arrival("east", spoilt.rest.scene.world.plain[0].sku, 3, spoilt.rest.truth.at)
    happenings.arrivals.append(arrival)
    try:
        assert "stock.physical" in look(spoilt, verdict)
    finally:
        happenings.arrivals.remove(arrival)


def test_a_number_that_is_not_sellable_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    spoilt.sql("UPDATE account SET buffer = 1 WHERE key = 'ebay-us'")

    assert look(spoilt, verdict) == {"shown.sellable"}


def test_a_number_above_what_is_free_is_found_though_the_book_agrees_with_it(spoilt: Spoilt, verdict: Verdict) -> None:
    book = spoilt.book()
    pieces = spoilt.pieces(book)
    pieces.wanted.update({article.sku: 500 for article in spoilt.rest.scene.world.plain})

    numbers_are_right(spoilt.rest.truth, spoilt.read(read_sellable), pieces, verdict)

    assert rules(verdict) == {"shown.too_high"}


def test_what_the_audit_finds_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    spoilt.sql("UPDATE level SET on_hand = on_hand + 1 WHERE sku_id = 1 AND warehouse_id = 1")
    db = Database(f"sqlite:///{spoilt.path}")
    try:
        asyncio.run(stock.the_book_proves_itself(db, spoilt.rest.truth, verdict))
    finally:
        db.close()

    assert "audit.level.fold" in rules(verdict)


def test_a_reservation_of_what_was_not_free_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    assert spoilt.read(read_overdrawn) == []

    spoilt.sql(
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key,"
        " actor, at) SELECT sku_id, warehouse_id, seq + 1, 'reservation', 0, 0, 1 + on_hand, 'spoilt', 'test', 0"
        " FROM level WHERE sku_id = 1 AND warehouse_id = 1"
    )

    nothing_is_promised_that_is_not_there(spoilt.read(read_overdrawn), spoilt.rest.truth.at, verdict)
    assert rules(verdict) == {"ledger.overdrawn"}


def test_units_that_are_short_where_another_warehouse_could_send_them_are_found(
    spoilt: Spoilt, verdict: Verdict
) -> None:
    go_short_with_more_elsewhere(spoilt)

    assert "stock.missing" in look(spoilt, verdict)
