"""Listings that no SKU stands behind, as a file for a person to fill in, and that file taken back."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from syncd.catalogue.bill_store import components_of
from syncd.catalogue.bills import Components
from syncd.catalogue.codes import find_skus, normalise
from syncd.catalogue.listing_store import Ref, StoredListing, load_listings, upsert_listings
from syncd.catalogue.listings import LISTINGS_A_TRANSACTION, Unmapped
from syncd.catalogue.relisting import replace_components
from syncd.csv_rows import CsvFile, ImportFileError, Line, Progress, RowError, in_chunks
from syncd.db.database import Database
from syncd.publishing.marks import mark_listings

COLUMNS: Final = ("channel_sku", "channel_location", "code", "title", "gtin", "reason", "sku")
_REQUIRED: Final = ("channel_sku", "channel_location", "sku")


@dataclass(frozen=True, slots=True)
class HandMapping:
    """A person's word that a listing is a SKU, named by any of its codes."""

    line: int
    ref: Ref
    code: str | None  # the listing's own code when the person decided
    sku: str


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A filled-in file; `undecided` rows have no SKU yet."""

    mappings: tuple[HandMapping, ...]
    undecided: int
    rejected: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class ImportedMapping:
    mapped: int
    unchanged: int
    undecided: int
    rejected: tuple[RowError, ...]


def write_unmapped(path: Path, unmapped: Iterable[Unmapped]) -> int:
    """Write a file to be filled in, whole or not at all. Returns how many listings it names. Raises ImportFileError."""
    scratch = path.with_name(f"{path.name}.tmp")
    rows = [
        (item.ref.channel_sku, item.ref.channel_location, item.code or "", item.title, item.gtin or "", reason, "")
        for item, reason in unmapped
    ]
    try:
        with scratch.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets know UTF-8 by its BOM only
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows)
        os.replace(scratch, path)
    except OSError as err:
        reason = (err.strerror or str(err)).lower()
        raise ImportFileError(path, f"it cannot be written ({reason})", "Check its folder and its rights") from err
    return len(rows)


def read_mapping(path: Path) -> MappingFile:
    """Read a filled-in file. Raises ImportFileError when the file as a whole cannot be used."""
    return mappings_of(CsvFile(path, _REQUIRED, [name for name in COLUMNS if name not in _REQUIRED]))


def mappings_of(lines: Iterable[Line | RowError]) -> MappingFile:
    """The rows of a filled-in file. Pure."""
    found: dict[Ref, HandMapping] = {}
    undecided = 0
    rejected: list[RowError] = []
    for each in lines:
        if isinstance(each, RowError):
            rejected.append(each)
            continue
        line, cells = each
        ref = Ref(cells["channel_sku"], cells["channel_location"])
        before = found.get(ref)
        if not cells["sku"]:
            undecided += 1
        elif before is None:
            found[ref] = HandMapping(line, ref, cells.get("code") or None, cells["sku"])
        elif normalise(before.sku) != normalise(cells["sku"]):
            problem = f"line {before.line} says {before.sku} for the same listing"
            rejected.append(RowError(line, "sku", problem, "Name one SKU for each listing"))
    return MappingFile(tuple(found.values()), undecided, tuple(rejected))


def import_mapping(
    db: Database, path: Path, account_id: int, now: datetime, progress: Progress | None = None
) -> ImportedMapping:
    """Take a filled-in file over; doing it again changes nothing. Raises ImportFileError."""
    file = read_mapping(path)
    mapped, rejected, done = 0, list(file.rejected), 0
    for chunk in in_chunks(file.mappings, LISTINGS_A_TRANSACTION):
        changed, errors = db.transact_now(record_mapping, account_id, chunk, now)
        mapped += changed
        rejected += errors
        done += len(chunk)
        if progress:
            progress(done, len(file.mappings))
    bad = len(rejected) - len(file.rejected)
    return ImportedMapping(
        mapped, len(file.mappings) - mapped - bad, file.undecided, tuple(sorted(rejected, key=lambda e: e.line))
    )


def record_mapping(
    connection: Connection, account_id: int, mappings: Sequence[HandMapping], now: datetime
) -> tuple[int, tuple[RowError, ...]]:
    """Make listings of the SKUs that a person named. Returns how many changed, and the rows that cannot be."""
    stored = load_listings(connection, account_id, {each.ref for each in mappings})
    skus = find_skus(connection, {normalise(each.sku) for each in mappings})
    made = components_of(connection, skus.values())

    built: dict[int, Components] = {}
    renamed = {}
    rejected = []
    for each in mappings:
        answer = _components(each, stored, skus, made)
        if isinstance(answer, RowError):
            rejected.append(answer)
            continue
        listing = stored[each.ref]
        if answer != listing.components:
            built[listing.listing_id] = answer
        if each.code is not None and each.code != listing.attributes.code:
            renamed[each.ref] = replace(listing.attributes, code=each.code)

    upsert_listings(connection, account_id, renamed, ())
    replace_components(connection, built, now)
    changed = built.keys() | {stored[ref].listing_id for ref in renamed}
    mark_listings(connection, sorted(changed), now)
    return len(changed), tuple(rejected)


def _components(
    mapping: HandMapping,
    stored: Mapping[Ref, StoredListing],
    skus: Mapping[str, int],
    made: Mapping[int, Components],
) -> Components | RowError:
    if mapping.ref not in stored:
        remedy = "Run `syncd import listings --from ACCOUNT` first, and keep its keys as text in a spreadsheet"
        return RowError(mapping.line, "channel_sku", "the account has no such listing", remedy)
    sku_id = skus.get(normalise(mapping.sku))
    if sku_id is None:
        return RowError(mapping.line, "sku", f"no SKU is called {mapping.sku}", "Import the item first, or correct it")
    if sku_id not in made:
        problem = f"the bill of materials of {mapping.sku} contains itself or lies too deep"
        return RowError(mapping.line, "sku", problem, "Correct what the kit is made of")
    return made[sku_id]
