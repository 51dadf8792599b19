"""Which SKU stands behind a listing, and the file in which a person says so."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from adapters.contract import ListedItem, ListingRef
from syncd.catalogue.bills import Components
from syncd.catalogue.listing_store import Attributes, Ref, StoredListing
from syncd.catalogue.listings import Mapped, map_listing
from syncd.catalogue.mapping_file import COLUMNS, HandMapping, mappings_of, read_mapping, write_unmapped
from syncd.csv_rows import ImportFileError, RowError

CLOCK: Components = ((7, 1),)
PACK: Components = ((7, 3),)
SKUS = {"CLOCK": 7, "PACK": 8, "LOOP": 9}
MADE = {7: CLOCK, 8: PACK}


def an_item(code: str | None = "CLOCK", title: str = "Red clock") -> ListedItem:
    return ListedItem(ListingRef("item-1", "main"), "variant-1", code, title, None, 5, False, "item-1")


def stored(code: str | None, components: Components) -> StoredListing:
    return StoredListing(1, Attributes("variant-1", code, "Red clock", None, "item-1", 0, None), components)


def mapped(item: ListedItem, known: StoredListing | None = None, *, remap: bool = False) -> Mapped:
    return map_listing(item, known, SKUS, MADE, remap=remap)


def test_a_listing_is_the_sku_of_exactly_its_code() -> None:
    assert mapped(an_item("PACK")) == Mapped("PACK", PACK)
    assert mapped(an_item("pack")) == Mapped("pack", None, "no SKU has the code pack")


def test_a_listing_without_code_or_of_an_unmakeable_kit_is_not_mapped() -> None:
    assert mapped(an_item(None)).reason == "the channel shows no code for it"
    assert mapped(an_item("LOOP")).reason == "the bill of materials of LOOP contains itself or lies too deep"


def test_a_mapped_listing_stays_as_it_is() -> None:
    assert mapped(an_item("CLOCK"), stored("CLOCK", PACK)) == Mapped("CLOCK")
    assert mapped(an_item("unknown"), stored("unknown", PACK)) == Mapped("unknown")
    assert mapped(an_item(None), stored(None, PACK)) == Mapped(None)


def test_a_listing_seen_before_its_sku_was_declared_is_mapped_now() -> None:
    assert mapped(an_item("CLOCK"), stored("CLOCK", ())) == Mapped("CLOCK", CLOCK)


def test_a_new_code_or_a_persons_wish_maps_a_listing_again() -> None:
    assert mapped(an_item("PACK"), stored("CLOCK", CLOCK)) == Mapped("PACK", PACK)
    assert mapped(an_item("CLOCK"), stored("CLOCK", PACK), remap=True) == Mapped("CLOCK", CLOCK)
    assert mapped(an_item("CLOCK"), stored("CLOCK", CLOCK), remap=True) == Mapped("CLOCK")


def test_a_new_code_that_names_nothing_is_told_and_takes_nothing_away() -> None:
    told = mapped(an_item("CLOCK-2"), stored("CLOCK", CLOCK))

    assert told == Mapped("CLOCK", None, "no SKU has the code CLOCK-2; it stays mapped as CLOCK")


def test_what_is_written_for_a_person_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "unmapped.csv"

    written = write_unmapped(path, [(an_item("X", 'Größe "L",\nred'), "no SKU"), (an_item(None), "no code")])

    with path.open(encoding="utf-8-sig", newline="") as file:
        header, first, _ = csv.reader(file)
    assert written == 2
    assert tuple(header) == COLUMNS
    assert first == ["item-1", "main", "X", 'Größe "L",\nred', "", "no SKU", ""]
    assert read_mapping(path).undecided == 2
    assert [each.name for each in tmp_path.iterdir()] == ["unmapped.csv"]


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="it cannot be written"):
        write_unmapped(tmp_path / "nowhere" / "unmapped.csv", [])


def test_rows_name_one_sku_for_each_listing() -> None:
    row = {"channel_sku": "item-1", "channel_location": "main", "code": "X"}

    read = mappings_of([(2, {**row, "sku": "CLOCK"}), (3, {**row, "sku": "clock"}), (4, {**row, "sku": "PACK"})])

    assert read.mappings == (HandMapping(2, Ref("item-1", "main"), "X", "CLOCK"),)
    assert read.rejected == (
        RowError(4, "sku", "line 2 says CLOCK for the same listing", "Name one SKU for each listing"),
    )
