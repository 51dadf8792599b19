"""A SKU that a warehouse has named before and names no more is unknown there, until it is named again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.contract import Transient
from adapters.warehouse import StockPage, StockRow
from syncd.db.database import Database
from syncd.stock.unnamed import UNKNOWN_AFTER, unnamed_skus
from tests.support.outside import Shipping, shipping


@pytest.fixture
async def it(db: Database) -> Shipping:
    """A warehouse that has named both of its SKUs once."""
    it = shipping(db, {"RED-CLOCK": 10, "STAND": 4})
    await it.works.read_stock()
    return it


def unknown(it: Shipping) -> dict[int, frozenset[int]]:
    account_id = it.seller.accounts["shop"].account_id
    return dict(it.db.read_now(unnamed_skus, account_id, it.clock.now() - UNKNOWN_AFTER))


async def test_it_is_told_after_half_an_hour_of_complete_snapshots(it: Shipping) -> None:
    del it.warehouse.free["STAND"]
    it.later()
    await it.works.read_stock()
    it.later(UNKNOWN_AFTER.total_seconds() - 1)
    await it.works.read_stock()
    assert (unknown(it), it.seller.open_alerts()) == ({}, [])
    it.later(1)
    await it.works.read_stock()

    assert unknown(it) == {it.seller.skus["STAND"]: frozenset({it.seller.warehouses["3pl"].warehouse_id})}
    assert "given no level of 1 SKUs which it gave before: STAND." in it.alert("unnamed_levels")
    assert it.available("STAND") == 4, "unknown is not zero"


async def test_reads_that_break_off_tell_nothing(it: Shipping) -> None:
    del it.warehouse.free["STAND"]
    it.later(3600)
    it.warehouse.next_time("read_stock", Transient("down"))
    await it.works.read_stock()
    assert it.seller.open_alerts() == ["warehouse_down"]
    await it.works.read_stock()

    assert (unknown(it), it.seller.open_alerts()) == ({}, [])


async def test_one_that_is_named_again_is_known_and_its_listings_are_looked_at(it: Shipping) -> None:
    del it.warehouse.free["STAND"]
    await it.works.read_stock()
    it.later(UNKNOWN_AFTER.total_seconds())
    await it.works.read_stock()
    assert it.seller.open_alerts() == ["unnamed_levels"]
    it.seller.does("DELETE FROM dirty_listing")

    it.warehouse.free["STAND"] = 4
    await it.works.read_stock()

    assert (unknown(it), it.seller.open_alerts()) == ({}, [])
    dirty = it.seller.rows("SELECT listing_id FROM dirty_listing")
    assert [row["listing_id"] for row in dirty] == [it.seller.listings["STAND"]]


async def test_a_level_that_cannot_be_believed_is_none(it: Shipping) -> None:
    for _ in range(2):
        it.later(UNKNOWN_AFTER.total_seconds())
        rows = (StockRow("RED-CLOCK", 10), StockRow("STAND", 0, problem="is negative"))
        it.warehouse.pages = [StockPage(it.clock.now(), rows)]
        await it.works.read_stock()

    assert set(unknown(it)) == {it.seller.skus["STAND"]}


async def test_a_snapshot_that_names_nothing_leaves_all_unknown(it: Shipping) -> None:
    it.warehouse.free.clear()
    await it.works.read_stock()
    it.later(UNKNOWN_AFTER.total_seconds())
    await it.works.read_stock()

    assert set(unknown(it)) == set(it.seller.skus.values())


async def test_what_it_never_named_or_has_none_of_is_no_alarm(db: Database) -> None:
    it = shipping(db, {"RED-CLOCK": 10, "STAND": 0})
    await it.works.read_stock()
    it.seller.does("UPDATE warehouse_item SET warehouse_sku = NULL WHERE sku_id = 1")  # asked for, and never named
    it.warehouse.free.clear()
    for _ in range(2):
        it.clock.at += timedelta(hours=1)
        await it.works.read_stock()

    assert (unknown(it), it.seller.open_alerts()) == ({}, [])
