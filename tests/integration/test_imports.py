"""Items, stock and listings as files and channels give them, imported into a real book on both engines."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from adapters.contract import ChannelTraits, ListedItem, ListingPage, ListingRef
from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.catalogue.bill_store import components_of
from syncd.catalogue.items import ImportedItems, import_items
from syncd.catalogue.listings import ImportedListings, import_listings, map_by_gtin, record_listings
from syncd.catalogue.mapping_file import ImportedMapping, import_mapping, read_mapping, write_unmapped
from syncd.csv_rows import ImportFileError
from syncd.db.database import Database
from syncd.stock.import_stock import ImportedStock, import_stock
from syncd.stock.ledger import Cause, Ledger
from syncd.stock.store import load_levels, record_ledger
from tests.support.builders import ENGINES, a_database
from tests.support.fake_channel import TRAITS

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
CELLS = ("available",)


@dataclass
class Shop:
    """A seller with one account and two warehouses, and a folder for files."""

    db: Database
    folder: Path
    account_id: int
    warehouses: dict[str, int]

    def imports_items(self, *lines: str, header: str = "sku,title,safety_stock,alias,component,units") -> ImportedItems:
        return import_items(self.db, self.file("items.csv", header, *lines), NOW)

    def imports_stock(self, *lines: str, now: datetime = NOW, default: datetime | None = None) -> ImportedStock:
        path = self.file("stock.csv", "sku,warehouse,on_hand,unavailable,as_of", *lines)
        return import_stock(self.db, path, now, default)

    def sees(self, *items: ListedItem, remap: bool = False) -> ImportedListings:
        told = self.db.transact_now(record_listings, self.account_id, items, NOW, cells=CELLS, remap=remap)
        found = self.db.transact_now(map_by_gtin, self.account_id, told.unmapped, NOW)
        return ImportedListings(told.mapped + found.mapped, found.unmapped, told.changed + found.changed)

    def maps(self, *lines: str) -> ImportedMapping:
        path = self.file("map.csv", "channel_sku,channel_location,code,sku", *lines)
        return import_mapping(self.db, path, self.account_id, NOW)

    def file(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def moves(self, sku: str, warehouse: str, at: datetime, *, reserve: int = 0, ship: int = 0, free: int = 0) -> None:
        self.db.transact_now(move, (self.id(sku), self.warehouses[warehouse]), at, reserve, ship, free)

    def level(self, sku: str, warehouse: str) -> tuple[int, int, int, int]:
        ((on_hand, unavailable, reserved, short),) = self.rows(
            "SELECT on_hand, unavailable, reserved, short FROM level WHERE sku_id = :sku AND warehouse_id = :place",
            sku=self.id(sku),
            place=self.warehouses[warehouse],
        )
        return (on_hand, unavailable, reserved, short)

    def id(self, sku: str) -> int:
        ((found,),) = self.rows("SELECT id FROM sku WHERE code = :code", code=sku)
        return int(found)

    def parts(self, channel_sku: str) -> dict[str, int]:
        return dict(
            self.rows(
                "SELECT s.code, c.units FROM listing_component c JOIN listing l ON l.id = c.listing_id"
                " JOIN sku s ON s.id = c.sku_id WHERE l.channel_sku = :channel_sku",
                channel_sku=channel_sku,
            )
        )

    def dirty(self) -> dict[str, int]:
        """The version of every dirty listing."""
        return dict(
            self.rows("SELECT l.channel_sku, d.version FROM dirty_listing d JOIN listing l ON l.id = d.listing_id")
        )

    def cleans(self) -> None:
        self.does("DELETE FROM dirty_listing")

    def alerts(self) -> list[tuple[str, str]]:
        return self.rows("SELECT kind, impact FROM alert WHERE closed_at IS NULL ORDER BY key")

    def book(self) -> list[tuple[Any, ...]]:
        """Everything that an import could have changed."""
        tables = ("sku", "sku_alias", "bill_of_materials", "listing", "listing_component", "cell", "level", "movement")
        return [(name, *row) for name in tables for row in sorted(self.rows(f"SELECT * FROM {name}"), key=repr)]

    def rows(self, statement: str, **values: Any) -> list[Any]:
        return self.db.read_now(lambda connection: [tuple(row) for row in connection.execute(text(statement), values)])

    def does(self, *statements: str) -> None:
        def run(connection: Connection) -> None:
            for statement in statements:
                connection.execute(text(statement))

        self.db.transact_now(run)


def move(connection: Connection, key: tuple[int, int], at: datetime, reserve: int, ship: int, free: int) -> None:
    """Reserve pieces, ship reserved ones, and release some, as orders would."""
    ledger = Ledger(load_levels(connection, {key}), "test", at)
    cause = Cause(f"test/{at.isoformat()}", 1)
    if reserve:
        ledger.reserve(key, reserve, cause)
    if ship:
        ledger.ship(key, ship, ship, cause)
    if free:
        ledger.release(key, free, cause)
    record_ledger(connection, ledger, lambda each: str(each.subject))


def an_item(code: str | None, channel_sku: str | None = None, title: str = "") -> ListedItem:
    ref = ListingRef(channel_sku or f"item-{code}", "main")
    return ListedItem(ref, f"line-{ref.channel_sku}", code, title, None, 5, False, ref.channel_sku)


def at(hours_ago: float) -> datetime:
    return NOW - timedelta(hours=hours_ago)


@contextmanager
def counted_statements(db: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.writer, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.writer, "before_cursor_execute", note)


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.postgres] * (name != "sqlite")) for name in ENGINES])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with a_database(request.param, tmp_path) as db:
        pool = ("hamburg", "lyon")
        places = [WarehouseSetup(key, key, "own", "DE", "20095", "Europe/Berlin") for key in pool]
        accounts = [AccountSetup("shop", "shopify", "priority", 0, None, pool)]
        ids = db.transact_now(sync_parties, accounts, places, NOW)
        yield Shop(db, tmp_path, ids.accounts["shop"], ids.warehouses)


# --- items ----------------------------------------------------------------------------------------------------


def test_items_go_in_once_and_a_second_import_changes_nothing(shop: Shop) -> None:
    lines = ("A,Clock,3,a-old|Uhr,,", "SET,Set,,,A,2", "SET,,,,B,1", "B,Hand,,,,")

    first = shop.imports_items(*lines)
    before = shop.book()
    second = shop.imports_items(*lines)

    assert (first.new, first.changed, first.unchanged, first.rejected) == (3, 0, 0, ())
    assert (second.new, second.changed, second.unchanged, second.rejected) == (0, 0, 3, ())
    assert shop.book() == before
    assert shop.rows("SELECT normalised_code FROM sku_alias ORDER BY 1") == [
        ("a",),
        ("a-old",),
        ("b",),
        ("set",),
        ("uhr",),
    ]


def test_a_changed_item_keeps_what_the_file_does_not_say(shop: Shop) -> None:
    shop.imports_items("A,Clock,3,,,", "B,Hand,1,,,")

    told = shop.imports_items("A,,5,,,", "B,Hand,,,,", "C,New,,,,")

    assert (told.new, told.changed, told.unchanged) == (1, 1, 1)
    assert shop.rows("SELECT code, title, safety_stock FROM sku ORDER BY code") == [
        ("A", "Clock", 5),
        ("B", "Hand", 1),
        ("C", "New", 0),
    ]


def test_bad_rows_are_told_by_line_and_column_and_good_ones_go_in(shop: Shop) -> None:
    shop.imports_items("A,Clock,,uhr,,")

    told = shop.imports_items(
        "B,Hand,few,,,", "C,Wheel,,UHR,,", "a,Other,,,,", "D,Box,,,,", "E,,,,nothing,1", "D,,,,E,1"
    )

    assert (told.new, told.changed) == (1, 0)
    assert [(error.line, error.column) for error in told.rejected] == [
        (2, "safety_stock"),
        (3, "alias"),
        (4, "sku"),
        (6, "sku"),
        (7, "component"),
    ]


def test_a_part_on_a_refused_row_keeps_its_kit_out(shop: Shop) -> None:
    shop.imports_items("A,,,uhr,,", "B,,,,,", "SET,,,,,")

    told = shop.imports_items("SET,,,,A,1", "SET,,,uhr,B,1")

    assert [(error.line, error.column) for error in told.rejected] == [(2, "component"), (3, "alias")]
    assert shop.rows("SELECT * FROM bill_of_materials") == []


def test_a_loop_over_two_files_is_named(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "BOX,,,,A,1", "SET,,,,BOX,2", "BOX,,,,,", "SET,,,,,")

    told = shop.imports_items("BOX,,,,SET,1", "A,Clock,,,,")

    assert [str(error) for error in told.rejected] == [
        "line 2, column component: it contains itself: BOX > SET > BOX. Correct what these kits are made of"
    ]
    assert told.changed == 1
    assert shop.db.read_now(components_of, [shop.id("SET")]) == {shop.id("SET"): ((shop.id("A"), 2),)}


def test_listings_follow_a_kit_and_whatever_contains_it(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "B,,,,,", "BOX,,,,A,1", "SET,,,,BOX,2", "BOX,,,,,", "SET,,,,,")
    shop.sees(an_item("SET"), an_item("BOX"), an_item("A"), an_item("B"), an_item("other", "by-hand"))
    shop.maps("by-hand,main,other,SET")
    shop.cleans()

    told = shop.imports_items("BOX,,,,A,3", "BOX,,,,B,1")

    assert (told.changed, told.relisted, told.to_map_again) == (1, 3, 0)
    assert shop.parts("item-SET") == shop.parts("by-hand") == {"A": 6, "B": 2}
    assert shop.parts("item-BOX") == {"A": 3, "B": 1}
    assert {"item-SET", "item-BOX", "by-hand"} <= shop.dirty().keys()


def test_a_listing_mapped_by_hand_to_one_of_two_like_kits_is_left_to_a_person(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "SET,,,,A,2", "SET,,,,,", "PACK,,,,A,2", "PACK,,,,,")
    shop.sees(an_item("x", "by-hand"), an_item("PACK"))
    shop.maps("by-hand,main,x,SET")

    told = shop.imports_items("SET,,,,A,3")

    assert (told.changed, told.relisted, told.to_map_again) == (1, 0, 1)
    assert shop.parts("by-hand") == shop.parts("item-PACK") == {"A": 2}


def test_another_safety_stock_makes_the_listings_of_a_sku_dirty(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "B,,,,,")
    shop.sees(an_item("A"), an_item("B"))
    shop.cleans()

    shop.imports_items("A,,7,,,", "B,new title,,,,")

    assert shop.dirty().keys() == {"item-A"}


def test_many_items_go_in_by_few_statements(shop: Shop) -> None:
    kits = [f"K{n},,,,P{n},2" for n in range(1_000)]
    lines = [f"{kind}{n},,,,," for kind in "PK" for n in range(1_000)]

    with counted_statements(shop.db) as statements:
        told = shop.imports_items(*lines, *kits)

    assert (told.new, told.rejected) == (2_000, ())
    assert len(statements) < 150


def test_a_file_without_its_column_changes_nothing(shop: Shop) -> None:
    with pytest.raises(ImportFileError, match="column sku is missing"):
        shop.imports_items("A", header="article")


# --- stock ----------------------------------------------------------------------------------------------------


def test_counted_goods_are_in_the_book_and_their_listings_dirty(shop: Shop) -> None:
    shop.imports_items("A,,,uhr,,", "B,,,,,")
    shop.sees(an_item("A"), an_item("B"))
    shop.cleans()

    told = shop.imports_stock(" UHR ,hamburg,10,2,2026-11-27T09:00Z", "A,lyon,4,,2026-11-27T10:00")

    assert (told.counted, told.unchanged, told.older, told.rejected) == (2, 0, (), ())
    assert shop.level("A", "hamburg") == (10, 2, 0, 0)
    assert shop.level("A", "lyon") == (4, 0, 0, 0)
    assert shop.rows("SELECT DISTINCT source FROM level") == [("count",)]
    assert shop.dirty().keys() == {"item-A"}


def test_importing_a_stock_file_again_changes_nothing(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "B,,,,,")
    lines = ("A,hamburg,10,2,2026-11-27T09:00Z", "B,hamburg,0,,2026-11-27T09:00Z")
    shop.imports_stock(*lines)
    shop.moves("A", "hamburg", NOW, reserve=3)
    shop.moves("A", "hamburg", NOW + timedelta(minutes=5), ship=3)
    before = shop.book()

    told = shop.imports_stock(*lines, now=NOW + timedelta(hours=1))

    assert (told.counted, told.unchanged) == (0, 2)
    assert shop.book() == before
    assert shop.level("A", "hamburg") == (7, 2, 0, 0)


def test_what_left_after_the_count_is_not_given_back(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.imports_stock("A,hamburg,20,,2026-11-26T10:00Z")
    shop.moves("A", "hamburg", at(4), reserve=5)
    shop.moves("A", "hamburg", at(3), ship=2)
    shop.moves("A", "hamburg", at(1), ship=1)

    shop.imports_stock(f"A,hamburg,15,,{at(2).isoformat()}")

    assert shop.level("A", "hamburg") == (14, 0, 2, 0)


def test_a_later_count_stands_in_the_place_of_an_earlier_one_however_late_that_was_booked(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.imports_stock(f"A,hamburg,20,,{at(6).isoformat()}", now=at(6))
    shop.imports_stock(f"A,hamburg,17,,{at(5).isoformat()}", now=at(1))

    shop.imports_stock(f"A,hamburg,17,,{at(4).isoformat()}")

    assert shop.level("A", "hamburg") == (17, 0, 0, 0)


def test_an_older_count_is_told_and_not_booked(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.imports_stock(f"A,hamburg,20,,{at(1).isoformat()}")

    told = shop.imports_stock(f"A,hamburg,5,,{at(2).isoformat()}")

    assert (told.counted, [(each.line, each.column) for each in told.older]) == (0, [(2, "as_of")])
    assert shop.level("A", "hamburg") == (20, 0, 0, 0)


def test_a_count_of_the_same_instant_corrects_and_corrects_back(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    for on_hand in (20, 12, 20):
        assert shop.imports_stock(f"A,hamburg,{on_hand},,{at(1).isoformat()}").counted == 1
        assert shop.level("A", "hamburg") == (on_hand, 0, 0, 0)


def test_a_clock_ahead_of_ours_gives_no_shipped_unit_back(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    line = f"A,hamburg,20,,{(NOW + timedelta(minutes=4)).isoformat()}"
    shop.imports_stock(line)
    shop.moves("A", "hamburg", NOW + timedelta(minutes=1), reserve=1)
    shop.moves("A", "hamburg", NOW + timedelta(minutes=2), ship=1)

    told = shop.imports_stock(line, now=NOW + timedelta(hours=1))

    assert (told.counted, told.unchanged) == (0, 1)
    assert shop.level("A", "hamburg") == (19, 0, 0, 0)


def test_reserved_units_that_a_count_takes_away_are_short_until_they_are_found(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.imports_stock("A,hamburg,10,,2026-11-26T10:00Z")
    shop.moves("A", "hamburg", at(8), reserve=8)

    shop.imports_stock(f"A,hamburg,3,1,{at(3).isoformat()}")
    assert shop.level("A", "hamburg") == (3, 1, 8, 6)
    assert shop.alerts() == [("short", "6 units")]

    shop.imports_stock(f"A,hamburg,7,1,{at(2).isoformat()}")
    assert shop.level("A", "hamburg") == (7, 1, 8, 2)
    assert shop.alerts() == [("short", "2 units")]
    assert "2 reserved units of A are not in hamburg" in shop.rows("SELECT message FROM alert")[0][0]

    shop.imports_stock(f"A,hamburg,9,1,{at(1).isoformat()}")
    assert shop.level("A", "hamburg") == (9, 1, 8, 0)
    assert shop.alerts() == []


def test_bad_rows_of_a_stock_file_are_told_and_good_ones_are_booked(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "B,,,,,")

    told = shop.imports_stock(
        "A,hamburg,10,,2026-11-27T09:00Z",
        "nothing,hamburg,10,,2026-11-27T09:00Z",
        "A,paris,10,,2026-11-27T09:00Z",
        "A,lyon,-3,,2026-11-27T09:00Z",
        "A,lyon,3.5,,2026-11-27T09:00Z",
        "A,lyon,3,,2026-11-28T09:00Z",
        "A,lyon,3,,",
        "B,lyon,1,,2026-11-27T09:00Z",
        "b,lyon,2,,2026-11-27T09:00Z",
    )

    assert told.counted == 1
    assert [(error.line, error.column) for error in told.rejected] == [
        (3, "sku"),
        (4, "warehouse"),
        (5, "on_hand"),
        (6, "on_hand"),
        (7, "as_of"),
        (8, "as_of"),
        (9, "sku"),
        (10, "sku"),
    ]
    assert all(error.remedy for error in told.rejected)
    assert shop.rows("SELECT count(*) FROM level") == [(1,)]


def test_a_default_instant_stands_in_for_a_missing_column(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    path = shop.file("bare.csv", "sku;warehouse;on_hand", "A;hamburg;3")

    with pytest.raises(ImportFileError, match="column as_of is missing"):
        import_stock(shop.db, path, NOW)
    told = import_stock(shop.db, path, NOW, at(1))

    assert told.counted == 1
    assert shop.rows("SELECT as_of FROM level") == [(int(at(1).timestamp()) * 1_000_000,)]


def test_two_imports_at_once_book_each_count_once(shop: Shop) -> None:
    codes = [f"S{n}" for n in range(1_000)]
    shop.imports_items(*(f"{code},,,,," for code in codes))
    shop.sees(*(an_item(code) for code in codes))
    lines = [f"{code},hamburg,{n % 50},,2026-11-27T09:00Z" for n, code in enumerate(codes)]
    header = "sku,warehouse,on_hand,unavailable,as_of"
    paths = [shop.file("one.csv", header, *lines), shop.file("other.csv", header, *reversed(lines))]

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(lambda path: import_stock(shop.db, path, NOW), paths))

    assert sum(each.counted for each in told) == sum(each.unchanged for each in told) == len(codes)
    assert shop.rows("SELECT count(*), sum(d_on_hand) FROM movement") == [(1_000, 20 * sum(range(50)))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("skus", [2_000, pytest.param(25_000, marks=pytest.mark.soak)])
def test_thousands_of_rows_go_in_by_few_statements(shop: Shop, skus: int) -> None:
    codes = [f"SKU-{n}" for n in range(skus)]
    assert shop.imports_items(*(f"{code},,,,," for code in codes)).new == len(codes)
    lines = [
        f"{code},{place},{n % 50},,2026-11-27T09:00Z" for n, code in enumerate(codes) for place in ("hamburg", "lyon")
    ]
    steps: list[tuple[int, int | None]] = []

    with counted_statements(shop.db) as statements:
        path = shop.file("stock.csv", "sku,warehouse,on_hand,unavailable,as_of", *lines)
        told = import_stock(shop.db, path, NOW, progress=lambda done, total: steps.append((done, total)))

    assert (told.counted, told.rejected) == (2 * skus, ())
    assert len(steps) == skus / 200
    assert len(statements) <= 10 * len(steps)
    assert steps[-1] == (2 * skus, 2 * skus)
    assert shop.rows("SELECT sum(on_hand), count(*) FROM level") == [(sum(n % 50 for n in range(skus)) * 2, 2 * skus)]


# --- listings -------------------------------------------------------------------------------------------------


def test_listings_are_mapped_by_their_code(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "PACK,,,,A,3", "PACK,,,,,", "B,,,uhr  rot,,")

    told = shop.sees(
        an_item("A"),
        an_item("PACK"),
        an_item("\uff41", "small"),
        an_item("UHR Rot", "alias"),
        an_item(None, "bare"),
        an_item("A", "twin"),
        an_item("A-1", "other"),
    )

    assert (told.mapped, told.changed) == (5, 7)
    assert [(item.ref.channel_sku, reason) for item, reason in told.unmapped] == [
        ("bare", "the channel shows no code for it"),
        ("other", "no SKU has the code A-1"),
    ]
    assert (shop.parts("item-A"), shop.parts("twin"), shop.parts("item-PACK")) == ({"A": 1}, {"A": 1}, {"A": 3})
    assert (shop.parts("small"), shop.parts("alias")) == ({"A": 1}, {"B": 1})
    assert shop.rows("SELECT DISTINCT name, must_read, anchor_value FROM cell") == [("available", 1, None)]
    assert shop.rows("SELECT count(*) FROM cell") == [(7,)]
    assert len(shop.dirty()) == 7


GTIN = "4006381333931"


def test_a_gtin_maps_what_no_code_does_however_it_is_printed(shop: Shop) -> None:
    shop.imports_items(f"PEN,{GTIN}", "UPC,036000291452", header="sku,gtin")

    told = shop.sees(
        replace(an_item("x"), gtin=f"0{GTIN}"),
        replace(an_item(None, "bare"), gtin="0036000291452"),
        replace(an_item("y"), gtin="4006381333932"),  # its check digit is wrong
    )

    assert (told.mapped, [reason for _, reason in told.unmapped]) == (2, ["no SKU has the code y"])
    assert (shop.parts("item-x"), shop.parts("bare")) == ({"PEN": 1}, {"UPC": 1})
    assert shop.sees(replace(an_item("x"), gtin=f"0{GTIN}")).mapped == 1
    assert shop.parts("item-x") == {"PEN": 1}


def test_an_ambiguous_gtin_maps_nothing_and_says_why(shop: Shop) -> None:
    shop.imports_items(f"PEN,{GTIN}", f"PEN-OLD,{GTIN}", "UPC,036000291452", header="sku,gtin")

    told = shop.sees(
        replace(an_item("x"), gtin=GTIN),
        replace(an_item("one", "one"), gtin="036000291452"),
        replace(an_item("pack of six", "six"), gtin="36000291452".zfill(14)),
    )

    assert told.mapped == 0
    assert [reason for _, reason in told.unmapped] == [
        "no SKU has the code x, and 2 SKUs have its GTIN 04006381333931",
        "no SKU has the code one, and 2 items of this account have its GTIN 00036000291452",
        "no SKU has the code pack of six, and 2 items of this account have its GTIN 00036000291452",
    ]


def test_seeing_the_same_listings_again_changes_nothing(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    items = (an_item("A"), an_item("b"))
    shop.sees(*items)
    before, dirty = shop.book(), shop.dirty()

    told = shop.sees(*items)

    assert (told.mapped, told.changed, len(told.unmapped)) == (1, 0, 1)
    assert (shop.book(), shop.dirty()) == (before, dirty)


def test_a_listing_is_mapped_once_its_sku_is_declared(shop: Shop) -> None:
    shop.sees(an_item("A"))
    shop.imports_items("A,,,,,")

    told = shop.sees(an_item("A"))

    assert (told.mapped, told.changed, told.unmapped) == (1, 1, ())
    assert shop.parts("item-A") == {"A": 1}


def test_a_new_code_moves_a_listing_and_an_unknown_one_does_not(shop: Shop) -> None:
    shop.imports_items("A,,,,,", "B,,,,,")
    shop.sees(an_item("A", "item"))

    shop.sees(an_item("B", "item"))
    assert shop.parts("item") == {"B": 1}

    for _ in range(2):
        told = shop.sees(an_item("C", "item"))
        assert [reason for _, reason in told.unmapped] == ["no SKU has the code C; it stays mapped as B"]
    assert shop.parts("item") == {"B": 1}


def test_what_a_listing_looks_like_is_kept_up_to_date(shop: Shop) -> None:
    shop.sees(an_item("A", title="Clock\0"))

    told = shop.sees(replace(an_item("A", title="Red clock"), back_orderable=True, unwritable="untracked"))

    assert told.changed == 1
    assert shop.rows("SELECT title, back_orderable, unwritable FROM listing") == [("Red clock", 1, "untracked")]


def test_a_person_maps_what_no_code_does_and_an_import_leaves_it_so(shop: Shop) -> None:
    shop.imports_items("A,,,uhr,,", "PACK,,,,A,3", "PACK,,,,,")
    told = shop.sees(an_item("x"), an_item(None, "bare"), an_item("y"))
    path = shop.folder / "unmapped.csv"
    write_unmapped(path, told.unmapped)
    fill_in(path, {"item-x": "UHR", "bare": "PACK"})
    shop.cleans()

    first = import_mapping(shop.db, path, shop.account_id, NOW)
    assert shop.dirty().keys() == {"item-x", "bare"}
    second = import_mapping(shop.db, path, shop.account_id, NOW)
    again = shop.sees(an_item("x"), an_item(None, "bare"), an_item("y"))

    assert (first.mapped, first.unchanged, first.undecided, first.rejected) == (2, 0, 1, ())
    assert (second.mapped, second.unchanged) == (0, 2)
    assert (again.mapped, again.changed, len(again.unmapped)) == (2, 0, 1)
    assert (shop.parts("item-x"), shop.parts("bare"), shop.parts("item-y")) == ({"A": 1}, {"A": 3}, {})


def test_a_person_confirms_a_new_code(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.sees(an_item("A", "item"))
    assert len(shop.sees(an_item("A-2", "item")).unmapped) == 1

    shop.maps("item,main,A-2,A")

    assert shop.sees(an_item("A-2", "item")).unmapped == ()


def test_bad_rows_of_a_mapping_are_told_by_line(shop: Shop) -> None:
    shop.imports_items("A,,,,,")
    shop.sees(an_item("x"))

    told = shop.maps("item-x,main,x,nothing", "unknown,main,,A")

    assert (told.mapped, told.unchanged) == (0, 0)
    assert [(error.line, error.column) for error in told.rejected] == [(2, "sku"), (3, "channel_sku")]
    assert shop.parts("item-x") == {}


@dataclass
class PagedListings:
    """A channel, as far as its listings go."""

    pages: tuple[tuple[ListedItem, ...], ...]
    traits: ChannelTraits = TRAITS

    async def list_listings(self) -> AsyncIterator[ListingPage]:
        for page in self.pages:
            yield ListingPage(page, "more")


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("an import does not wait")


async def test_an_account_is_imported_page_by_page(shop: Shop) -> None:
    shop.imports_items(*(f"A{n},,,,," for n in range(300)))
    channel = PagedListings((tuple(an_item(f"A{n}") for n in range(300)), (an_item("x"), an_item("A0", "twin"))))
    steps: list[int] = []

    told = await import_listings(
        shop.db, channel, shop.account_id, StoppedClock(), lambda done, total: steps.append(done)
    )

    assert (told.mapped, told.changed, len(told.unmapped)) == (301, 302, 1)
    assert steps == [250, 300, 302]


def fill_in(path: Path, skus: dict[str, str]) -> None:
    """Write SKUs into the last column, and save as a German spreadsheet would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerows([*row[:-1], skus.get(row[0], "")] for row in rows)
    assert read_mapping(path).rejected == ()
