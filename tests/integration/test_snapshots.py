"""What a warehouse says of its own stock becomes our level, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from adapters.contract import Transient
from adapters.warehouse import StockPage, StockRow
from syncd.db.database import Database
from syncd.reconcile.audit import audit
from syncd.stock.snapshot import SnapshotBooked
from syncd.stock.snapshot_store import book_snapshot
from tests.support.builders import NOW, Seller, a_seller, an_order
from tests.support.outside import shipping

T = NOW + timedelta(hours=1)


@pytest.fixture
def seller(db: Database) -> Iterator[Seller]:
    """A seller whose outside warehouse nobody has counted yet."""
    seller = a_seller(
        db, {"hamburg": {"RED-CLOCK": 0, "STAND": 0}, "fba": {}}, warehouses={"hamburg": "own", "fba": "fba"}
    )
    seller.does("INSERT INTO sku_alias (normalised_code, sku_id) SELECT 'rc-fba', id FROM sku WHERE code = 'RED-CLOCK'")
    yield seller
    assert audit(db).violations == ()


def tells(seller: Seller, *rows: StockRow, at: datetime = T, place: str = "fba") -> SnapshotBooked:
    warehouse_id = seller.warehouses[place].warehouse_id
    return seller.db.transact_now(book_snapshot, warehouse_id, at, rows, at + timedelta(seconds=5))


def test_a_level_is_what_the_warehouse_says(seller: Seller) -> None:
    booked = tells(seller, StockRow("RED-CLOCK", 7, 2))

    level = seller.level(warehouse="fba")
    assert (level.on_hand, level.unavailable, level.available, level.as_of) == (9, 2, 7, T)
    assert booked == SnapshotBooked(changed=1)
    (movement,) = seller.rows("SELECT kind, actor, d_on_hand FROM movement")[-1:]
    assert list(movement.values()) == ["snapshot", "snapshot", 9]


def test_a_second_word_that_says_the_same_moves_nothing_but_its_instant(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7))
    before = seller.rows("SELECT count(*) AS n FROM movement")

    assert tells(seller, StockRow("RED-CLOCK", 7), at=T + timedelta(hours=1)) == SnapshotBooked(unchanged=1)

    assert seller.rows("SELECT count(*) AS n FROM movement") == before
    assert seller.level(warehouse="fba").as_of == T + timedelta(hours=1)


def test_an_older_word_changes_nothing(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7))

    assert tells(seller, StockRow("RED-CLOCK", 3), at=T - timedelta(seconds=1)) == SnapshotBooked(older=1)

    assert seller.level(warehouse="fba").available == 7


def test_an_item_that_is_not_named_is_unknown_and_not_zero(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7), StockRow("STAND", 4))
    tells(seller, StockRow("RED-CLOCK", 6), at=T + timedelta(hours=1))

    assert seller.level("STAND", "fba").available == 4
    assert seller.level("STAND", "fba").as_of == T


def test_an_item_with_none_left_is_known_to_have_none(seller: Seller) -> None:
    assert tells(seller, StockRow("STAND", 0)) == SnapshotBooked(unchanged=1)

    assert seller.level("STAND", "fba").as_of == T


def test_codes_of_one_sku_are_summed_and_the_fullest_is_how_it_is_asked_for(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 2), StockRow("RC-FBA ", 5, 1))

    level = seller.level(warehouse="fba")
    assert (level.on_hand, level.available) == (8, 7)
    assert [row["warehouse_sku"] for row in seller.rows("SELECT warehouse_sku FROM warehouse_item")] == ["RC-FBA "]


def test_a_code_told_twice_counts_once_and_as_the_lower(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7, 1), StockRow("RED-CLOCK", 6, 2), StockRow("RC-FBA", 2), StockRow("STAND", 4))

    level = seller.level(warehouse="fba")
    assert (level.available, level.unavailable) == (8, 2)
    assert seller.level("STAND", "fba").available == 4


def test_a_bad_number_leaves_its_whole_sku_as_it_was(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7))
    later = T + timedelta(hours=1)

    rows = (StockRow("RED-CLOCK", 3), StockRow("RC-FBA", 0, problem="no quantity"), StockRow("STAND", 4))
    booked = tells(seller, *rows, at=later)

    assert booked == SnapshotBooked(changed=1, unreadable=(("RC-FBA", "no quantity"),))
    assert seller.level(warehouse="fba").as_of == T
    assert seller.level("STAND", "fba").available == 4


def test_truth_makes_reserved_units_short_and_people_are_told(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 3))
    seller.takes_in(an_order(quantity=3))

    tells(seller, StockRow("RED-CLOCK", 1), at=T + timedelta(hours=1))

    assert seller.level(warehouse="fba").short == 2
    assert seller.open_alerts() == ["short"]
    tells(seller, StockRow("RED-CLOCK", 3), at=T + timedelta(hours=2))
    assert (seller.level(warehouse="fba").short, seller.open_alerts()) == (0, [])


def test_only_what_changed_is_looked_at_again(seller: Seller) -> None:
    tells(seller, StockRow("RED-CLOCK", 7), StockRow("STAND", 4))
    seller.does("DELETE FROM dirty_listing")

    tells(seller, StockRow("RED-CLOCK", 7), StockRow("STAND", 3), at=T + timedelta(hours=1))

    dirty = [row["listing_id"] for row in seller.rows("SELECT listing_id FROM dirty_listing")]
    assert dirty == [seller.listings["STAND"]]


# --- a warehouse that ships for us ----------------------------------------------------------------------------------


async def test_what_was_accepted_before_is_still_there_for_us(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=3))
    await it.sends()
    it.later()

    await it.works.read_stock()

    level = it.seller.level(warehouse="3pl")
    assert (level.on_hand, level.reserved, level.available) == (10, 3, 7)


async def test_what_is_only_held_is_taken_off_what_the_warehouse_would_promise(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=3))

    await it.works.read_stock()

    assert it.available() == 7


async def test_a_word_from_before_the_newest_submission_may_lower_and_never_raise(db: Database) -> None:
    it = shipping(db)
    before = it.clock.now()
    it.takes_in(an_order(quantity=3))
    await it.sends()

    it.warehouse.pages = [StockPage(before, (StockRow("RED-CLOCK", 12),))]
    await it.works.read_stock()
    assert it.available() == 7
    it.warehouse.pages = [StockPage(before, (StockRow("RED-CLOCK", 9),))]
    await it.works.read_stock()

    assert it.available() == 6, "whether the 9 are net of what was submitted cannot be known"
    it.warehouse.pages = None
    it.later()
    await it.works.read_stock()
    assert it.available() == 7


async def test_a_word_taken_before_goods_left_and_heard_after_counts_them_once(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=3))
    await it.sends()
    it.later()
    page = it.warehouse.snapshot()
    it.warehouse.ships(it.reference)
    it.later()
    await it.works.poll()

    it.warehouse.pages = [page]
    await it.works.read_stock()

    assert (it.seller.level(warehouse="3pl").on_hand, it.available()) == (7, 7)
    it.proves()


async def test_what_it_was_asked_to_cancel_is_not_counted_until_its_answer_is_known(db: Database) -> None:
    it = shipping(db)
    it.takes_in(an_order(quantity=3))
    await it.sends()
    before = it.clock.now()
    it.later()
    it.takes_in(an_order(quantity=0, cancelled=True, minute=9))
    it.warehouse.next_time("cancel", "lost")
    await it.works.cancel_due()

    # Of an instant before the cancellation, with the numbers of after it: both is so when a read takes a while.
    tells(it.seller, StockRow("RED-CLOCK", 10), at=before + timedelta(seconds=1), place="3pl")
    assert it.available() == 7
    await it.works.cancel_due()

    assert (it.states(), it.available()) == (["cancelled"], 10)
    it.proves()


# --- reading --------------------------------------------------------------------------------------------------------


async def test_unknown_codes_are_told_by_one_alert_with_examples(db: Database) -> None:
    it = shipping(db)
    it.warehouse.free |= {f"X-{number}": 1 for number in range(7)}

    assert not await it.works.read_stock()

    assert "has 7 codes that name no SKU: X-0, X-1, X-2, X-3, X-4, ..." in it.alert("unknown_codes")
    it.warehouse.free = {"RED-CLOCK": 9}
    assert await it.works.read_stock()
    assert it.seller.open_alerts() == []


async def test_levels_that_cannot_be_believed_are_told(db: Database) -> None:
    it = shipping(db)
    it.warehouse.pages = [StockPage(it.clock.now(), (StockRow("RED-CLOCK", 0, problem="is negative"),))]

    await it.works.read_stock()

    assert "RED-CLOCK (is negative)" in it.alert("unreadable_levels")
    assert it.available() == 10


async def test_a_sku_on_two_pages_is_as_old_as_the_older(db: Database) -> None:
    it = shipping(db)
    it.seller.does("INSERT INTO sku_alias (normalised_code, sku_id) SELECT 'rc-1', id FROM sku")
    first, second = it.clock.now(), it.clock.now() + timedelta(minutes=1)
    it.warehouse.pages = [StockPage(first, (StockRow("RED-CLOCK", 4),)), StockPage(second, (StockRow("RC-1", 3),))]

    await it.works.read_stock()

    level = it.seller.level(warehouse="3pl")
    assert (level.available, level.as_of) == (7, first)
    assert it.seller.rows("SELECT stream, polled_to FROM warehouse_cursor")[0]["stream"] == "stock"


async def test_a_read_that_breaks_off_books_nothing(db: Database) -> None:
    it = shipping(db)
    it.warehouse.free["RED-CLOCK"] = 3
    it.warehouse.next_time("read_stock", "lost")

    assert not await it.works.read_stock()
    assert (it.available(), it.seller.open_alerts()) == (10, ["warehouse_down"])
    it.warehouse.next_time("read_stock", Transient("still down"))
    await it.works.read_stock()
    await it.works.read_stock()

    assert (it.available(), it.seller.open_alerts()) == (3, [])


async def test_more_skus_than_one_transaction_takes_are_all_booked(db: Database) -> None:
    skus = {f"SKU-{number:03}": 1 for number in range(450)}
    it = shipping(db, skus)
    it.warehouse.free = dict.fromkeys(skus, 5)
    it.later()

    await it.works.read_stock()

    (row,) = it.seller.rows("SELECT count(*) AS n, min(on_hand) AS low, max(on_hand) AS high FROM level")
    assert list(row.values()) == [450, 5, 5]
