"""Shortages are covered when something comes, and what nothing can cover yet costs nothing meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.db.database import Database
from syncd.orders import cover
from syncd.orders.cover import START, Covered, cover_shortages
from syncd.stock.replenished import forget_replenished, note_all_free, note_replenished, replenished_skus
from tests.integration import test_page_plans as plans
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

LATER = NOW + timedelta(minutes=1)
OTHERS = [f"SKU-{number}" for number in range(5)]


def covers(seller: Seller, limit: int = 10) -> int:
    """How many orders got something, in as many rounds as it takes."""
    orders, after = 0, START
    while True:
        done: Covered = seller.db.transact_now(cover_shortages, seller.views(), limit, LATER, after)
        orders += done.orders
        if done.after is None:
            return orders
        after = done.after


def marked(seller: Seller) -> list[str]:
    return [
        row["code"] for row in seller.rows("SELECT s.code FROM replenished r JOIN sku s ON s.id = r.sku_id ORDER BY 1")
    ]


def sold_out(db: Database, *skus: str) -> Seller:
    """A seller who has sold two of each without having any."""
    seller = a_seller(db, dict.fromkeys(skus, 0))
    for number, sku in enumerate(skus):
        seller.takes_in(an_order(order_id=f"{sku}/1", sku=sku, placed_minute=-2 * number))
        seller.takes_in(an_order(order_id=f"{sku}/2", sku=sku, placed_minute=-2 * number + 1))
    return seller


def test_what_comes_goes_to_the_order_that_has_waited_longest(db: Database) -> None:
    seller = sold_out(db, "RED-CLOCK")
    assert (covers(seller), marked(seller)) == (0, [])

    seller.counts("RED-CLOCK", 1)

    assert marked(seller) == ["RED-CLOCK"]
    assert (covers(seller), marked(seller)) == (1, [])
    assert seller.shortages("RED-CLOCK/1") == []
    assert seller.shortages("RED-CLOCK/2") == [("RED-CLOCK", 1, "oversold")]


def test_a_sku_that_nobody_waits_for_is_not_marked(db: Database) -> None:
    seller = sold_out(db, "RED-CLOCK", "BLUE-VASE")
    seller.counts("RED-CLOCK", 5)
    covers(seller)

    seller.counts("RED-CLOCK", 9)

    assert marked(seller) == []


def test_a_kit_is_covered_when_the_last_of_its_parts_has_come(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 0, "STAND": 0}, listings={"SET": {"RED-CLOCK": 1, "STAND": 2}})
    seller.takes_in(an_order(a_line("SET")))
    seller.counts("RED-CLOCK", 1)
    assert covers(seller) == 0

    seller.counts("STAND", 2)

    assert covers(seller) == 1
    assert seller.shortages() == []


def test_units_of_a_cancelled_order_cover_another(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 1})
    seller.takes_in(an_order(order_id="1001"))
    seller.takes_in(an_order(order_id="1002", placed_minute=1))

    seller.takes_in(an_order(order_id="1001", quantity=0, cancelled=True, minute=5))

    assert covers(seller) == 1
    assert seller.shortages("1002") == []


def test_what_a_batch_gave_to_a_later_order_and_got_back_covers_an_earlier_one(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 2})
    seller.takes_in(an_order(order_id="late", placed_minute=10))

    seller.takes_in(
        an_order(order_id="first"),
        an_order(order_id="second", placed_minute=1),
        an_order(order_id="late", quantity=0, cancelled=True, placed_minute=10, minute=11),
    )

    assert seller.shortages("second") == [("RED-CLOCK", 1, "oversold")]
    assert covers(seller) == 1
    assert seller.shortages("second") == []


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_pages_of_orders_and_of_skus_are_gone_through_to_the_end(
    db: Database, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(cover, "_SKUS_AT_ONCE", 2)
    seller = sold_out(db, *OTHERS)
    for sku in OTHERS:
        seller.counts(sku, 2)

    assert covers(seller, limit) == 2 * len(OTHERS)
    assert marked(seller) == []


def test_what_comes_while_its_sku_is_being_looked_at_is_not_forgotten(db: Database) -> None:
    seller = sold_out(db, "RED-CLOCK")
    seller.counts("RED-CLOCK", 1)
    ((sku_id, version),) = seller.db.read_now(replenished_skus, 10)

    seller.db.transact_now(note_replenished, [sku_id])
    seller.db.transact_now(forget_replenished, [(sku_id, version)])

    assert marked(seller) == ["RED-CLOCK"]


def test_a_pool_that_grew_is_found_when_everything_is_looked_at(db: Database) -> None:
    seller = a_seller(
        db,
        {"hamburg": {"RED-CLOCK": 0}, "munich": {"RED-CLOCK": 3}},
        warehouses=dict.fromkeys(("hamburg", "munich"), "own"),
    )
    whole = seller.accounts["shop"]
    seller.stands_on("hamburg")
    seller.does("DELETE FROM pool WHERE rank = 1")
    seller.takes_in(an_order())
    assert covers(seller) == 0
    seller.accounts["shop"] = whole
    seller.does(
        "INSERT INTO pool (account_id, warehouse_id, rank) SELECT a.id, w.id, 1 FROM account a, warehouse w"
        " WHERE w.key = 'munich'"
    )
    assert covers(seller) == 0, "no piece has moved"

    assert seller.db.transact_now(note_all_free, 0, 10) is None

    assert covers(seller) == 1


def test_all_that_is_short_is_looked_at_page_by_page_and_only_what_is_free_is_marked(db: Database) -> None:
    seller = sold_out(db, *OTHERS)
    seller.counts(OTHERS[3], 1)
    seller.does("DELETE FROM replenished")

    first = seller.db.transact_now(note_all_free, 0, 3)
    assert first is not None
    rest = seller.db.transact_now(note_all_free, first, 3)

    assert (first, rest) == (seller.skus[OTHERS[2]], None)
    assert marked(seller) == [OTHERS[3]]


def test_covering_reads_only_the_shortages_of_what_has_come(db: Database) -> None:
    seller = sold_out(db, *OTHERS)
    seller.counts(OTHERS[0], 1)
    if db.writer.dialect.name == "postgresql":
        seller.does("ANALYZE")
    explain = plans._sqlite_scans if db.writer.dialect.name == "sqlite" else plans._postgresql_scans

    with plans.planning(db) as connection:
        ran = plans._statements(connection, cover_shortages, (seller.views(), 500, LATER))
        read = [(text, values) for text, values in ran if not text.startswith("INSERT")]
        scans = [(table, text) for text, values in read for table in explain(connection, text, values)]

    assert any("replenished" in text and "DELETE" in text for text, _ in ran), "it went through to the end"
    of_marks = [table for table, text in scans if table == "replenished" and "LIMIT" in text]
    assert len(of_marks) == 1, "the marks themselves, so many at once"
    assert [found for found in scans if found[0] != "replenished"] == []
