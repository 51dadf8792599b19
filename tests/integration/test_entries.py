"""What people enter of goods: booked once, explained, and never at the cost of what is promised unless it is true."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from syncd.db.database import Database
from syncd.reconcile.audit import audit
from syncd.stock.entries import Entered, Entry, EntryKind, EntryRefused, book_entry
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import NOW, Seller, a_seller, an_order


@pytest.fixture(autouse=True)
def whole_book(db: Database) -> Iterator[None]:
    """After every scenario the audit must find the book whole."""
    yield
    assert audit(db).violations == ()


@pytest.fixture
def seller(db: Database) -> Seller:
    """Five red clocks in hamburg, three of them promised, and one in berlin."""
    own = {"hamburg": "own", "berlin": "own"}
    seller = a_seller(db, {"hamburg": {"RED-CLOCK": 5}, "berlin": {"RED-CLOCK": 1}}, warehouses=own)
    seller.takes_in(an_order(quantity=3))
    return seller


def enters(seller: Seller, kind: EntryKind, pieces: int, to: str | None = None, **more: Any) -> Entered:
    return seller.db.transact_now(book_entry, an_entry(seller, kind, pieces, to, **more), NOW)


def an_entry(seller: Seller, kind: EntryKind, pieces: int, to: str | None = None, **more: Any) -> Entry:
    hamburg = seller.warehouses["hamburg"].warehouse_id
    target = seller.warehouses[to].warehouse_id if to else None
    entry = Entry("note 1", kind, seller.skus["RED-CLOCK"], hamburg, pieces, "a reason", "ada", target)
    return replace(entry, **more)


def stands(seller: Seller, warehouse: str = "hamburg") -> tuple[int, int, int, int]:
    level = seller.level("RED-CLOCK", warehouse)
    return (level.on_hand, level.unavailable, level.reserved, level.short)


def test_what_arrives_is_there_and_its_listings_are_looked_at(seller: Seller) -> None:
    seller.does("DELETE FROM dirty_listing")

    entered = enters(seller, EntryKind.RECEIPT, 4)

    assert stands(seller) == (9, 0, 3, 0)
    assert [level.on_hand for level in entered.levels.values()] == [9]
    assert len(seller.rows("SELECT * FROM dirty_listing")) == 1
    (entry,) = seller.rows("SELECT key, kind, pieces, reason, actor FROM stock_entry")
    assert dict(entry) == {"key": "note 1", "kind": "receipt", "pieces": 4, "reason": "a reason", "actor": "ada"}
    (moved,) = seller.rows("SELECT kind, actor, cause_key FROM movement ORDER BY at DESC, seq DESC LIMIT 1")
    assert (moved["kind"], moved["actor"]) == ("receipt", "ada")
    assert moved["cause_key"].startswith("entry/1/")


def test_what_a_buyer_sends_back_broken_is_there_and_not_for_sale(seller: Seller) -> None:
    enters(seller, EntryKind.RETURN, 2, damaged=True)

    assert stands(seller) == (7, 2, 3, 0)


def test_the_same_entry_again_changes_nothing_and_says_so(seller: Seller) -> None:
    enters(seller, EntryKind.RECEIPT, 4)

    again = enters(seller, EntryKind.RECEIPT, 4)

    assert again.repeated
    assert stands(seller) == (9, 0, 3, 0)


def test_another_entry_under_the_same_key_is_refused(seller: Seller) -> None:
    enters(seller, EntryKind.RECEIPT, 4)

    with pytest.raises(EntryRefused, match=r"key: note 1 is of another entry \(receipt of 4\)"):
        enters(seller, EntryKind.RECEIPT, 5)
    assert stands(seller) == (9, 0, 3, 0)


@pytest.mark.parametrize("damaged", [True, False])
def test_pieces_that_are_damaged_are_another_entry_than_pieces_that_are_not(seller: Seller, damaged: bool) -> None:
    enters(seller, EntryKind.RECEIPT, 4, damaged=damaged)
    before = stands(seller)

    told = r"of another entry \(receipt of 4 damaged\)" if damaged else r"of another entry \(receipt of 4\)"
    with pytest.raises(EntryRefused, match=told):
        enters(seller, EntryKind.RECEIPT, 4, damaged=not damaged)
    assert stands(seller) == before
    assert enters(seller, EntryKind.RECEIPT, 4, damaged=damaged).repeated


def test_what_is_transferred_leaves_one_place_and_comes_to_the_other_at_once(seller: Seller) -> None:
    enters(seller, EntryKind.TRANSFER, 2, "berlin")

    assert (stands(seller), stands(seller, "berlin")) == ((3, 0, 3, 0), (3, 0, 0, 0))


def test_what_is_promised_is_not_transferred_away(seller: Seller) -> None:
    with pytest.raises(EntryRefused, match="only 2 are free, 3 are promised"):
        enters(seller, EntryKind.TRANSFER, 3, "berlin")

    assert (stands(seller), stands(seller, "berlin")) == ((5, 0, 3, 0), (1, 0, 0, 0))
    assert seller.rows("SELECT * FROM stock_entry") == []


def test_what_has_been_carried_over_already_is_true_and_what_is_promised_is_short(seller: Seller) -> None:
    enters(seller, EntryKind.TRANSFER, 4, "berlin", is_done=True)

    assert (stands(seller), stands(seller, "berlin")) == ((1, 0, 3, 2), (5, 0, 0, 0))
    assert seller.open_alerts() == ["short"]


def test_what_breaks_or_is_lost_is_true_and_an_alert_ends_when_it_is_found(seller: Seller) -> None:
    enters(seller, EntryKind.DAMAGE, 1)
    enters(seller, EntryKind.ADJUSTMENT, -3, key="note 2")
    lost = (stands(seller), seller.open_alerts())

    enters(seller, EntryKind.ADJUSTMENT, 3, key="note 3")

    assert lost == ((2, 1, 3, 2), ["short"])
    assert (stands(seller), seller.open_alerts()) == ((5, 1, 3, 0), [])


def test_broken_pieces_that_are_thrown_away_take_nothing_that_is_for_sale(seller: Seller) -> None:
    enters(seller, EntryKind.DAMAGE, 2)

    enters(seller, EntryKind.ADJUSTMENT, -2, key="note 2", damaged=True)

    assert stands(seller) == (3, 0, 3, 0)


@pytest.mark.parametrize(
    ("kind", "pieces", "more", "said"),
    [
        (EntryKind.RECEIPT, 0, {}, "pieces: 0 is no number"),
        (EntryKind.RECEIPT, -1, {}, "pieces: -1 is no number"),
        (EntryKind.TRANSFER, 10**10, {"to": "berlin"}, "pieces: 10000000000"),
        (EntryKind.ADJUSTMENT, -6, {}, "5 pieces are on hand"),
        (EntryKind.DAMAGE, 6, {}, "5 pieces are on hand, 0 of them damaged"),
        (EntryKind.DAMAGE, -1, {}, "0 of them damaged"),
        (EntryKind.TRANSFER, 6, {"to": "berlin", "is_done": True}, "5 pieces are on hand"),
        (EntryKind.TRANSFER, 1, {"to": "hamburg"}, "to: goods are transferred from one warehouse to another"),
        (EntryKind.TRANSFER, 1, {}, "to: goods are transferred from one warehouse to another"),
        (EntryKind.RECEIPT, 1, {"to": "berlin"}, "to: only a transfer"),
        (EntryKind.RECEIPT, 1, {"reason": " "}, "reason: it is empty"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_nothing_is_booked(
    seller: Seller, kind: EntryKind, pieces: int, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(EntryRefused, match=said):
        enters(seller, kind, pieces, **more)

    assert stands(seller) == (5, 0, 3, 0)
    assert seller.rows("SELECT * FROM stock_entry") == []


def test_no_more_is_booked_than_the_database_can_count(seller: Seller) -> None:
    enters(seller, EntryKind.RECEIPT, 10**9)
    before = stands(seller)

    with pytest.raises(EntryRefused, match="there would be 2000000005 on hand"):
        enters(seller, EntryKind.RECEIPT, 10**9, key="note 2")

    assert stands(seller) == before


def test_the_database_itself_takes_no_entry_twice(seller: Seller) -> None:
    enters(seller, EntryKind.RECEIPT, 4)

    with pytest.raises(DBAPIError):
        seller.does(
            "INSERT INTO stock_entry (key, kind, sku_id, warehouse_id, pieces, reason, actor, at)"
            " SELECT key, kind, sku_id, warehouse_id, pieces, reason, actor, at FROM stock_entry"
        )


def test_goods_that_arrive_go_to_who_waits_for_them(seller: Seller) -> None:
    seller.takes_in(an_order(order_id="1002", quantity=9))
    marks = "SELECT count(*) AS n FROM replenished"
    assert seller.rows(marks)[0]["n"] == 0

    enters(seller, EntryKind.RECEIPT, 4)

    assert seller.rows(marks)[0]["n"] == 1


@ON_POSTGRESQL
def test_transfers_that_cross_each_other_wait_for_each_other_and_both_go_through(seller: Seller) -> None:
    hamburg, berlin = (seller.warehouses[key].warehouse_id for key in ("hamburg", "berlin"))
    there = an_entry(seller, EntryKind.TRANSFER, 1, "berlin")
    back = replace(there, key="note 2", warehouse_id=berlin, to_warehouse_id=hamburg)
    begin = threading.Barrier(2)

    def moves(entry: Entry) -> None:
        for number in range(10):
            begin.wait()
            seller.db.transact_now(book_entry, replace(entry, key=f"{entry.key}/{number}"), NOW)

    other = threading.Thread(target=moves, args=[back])
    other.start()
    moves(there)
    other.join()

    assert (stands(seller), stands(seller, "berlin")) == ((5, 0, 3, 0), (1, 0, 0, 0))
    assert seller.rows("SELECT count(*) AS n FROM stock_entry")[0]["n"] == 20
