"""`syncd import stock FILE`: what was counted where, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from syncd.catalogue.codes import find_skus, normalise
from syncd.csv_rows import CsvFile, Progress, RowError, in_chunks
from syncd.db.database import Database
from syncd.stock.count_store import book_counts, load_warehouses
from syncd.stock.counts import Count, name_counts, read_counts

ROWS_A_TRANSACTION: Final = 400
_CODES_A_READ: Final = 5_000
_REQUIRED: Final = ("sku", "warehouse", "on_hand")


@dataclass(frozen=True, slots=True)
class ImportedStock:
    """What an import did, in rows; `older` ones say less than a later count that is booked already."""

    counted: int
    unchanged: int
    older: tuple[RowError, ...]
    rejected: tuple[RowError, ...]
    ignored_columns: tuple[str, ...]


def import_stock(
    db: Database,
    path: Path,
    now: datetime,
    default_as_of: datetime | None = None,
    progress: Progress | None = None,
) -> ImportedStock:
    """Book every row of a stock file that can be; importing it again changes nothing.

    `default_as_of` stands in where a row does not say when it was counted. Raises ImportFileError when the file as a
    whole cannot be used; then nothing was booked.
    """
    as_of_is_needed = default_as_of is None
    file = CsvFile(path, (*_REQUIRED, "as_of") if as_of_is_needed else _REQUIRED, ("unavailable", "as_of"))
    read, rejected = read_counts(file, db.read_now(load_warehouses), now, default_as_of)
    skus: dict[str, int] = {}
    for codes in in_chunks(sorted({normalise(row.code) for row in read}), _CODES_A_READ):
        skus |= db.read_now(find_skus, codes)
    counts, unnamed = name_counts(read, skus)

    counted = unchanged = done = 0
    older: list[RowError] = []
    for chunk in in_chunks(counts, ROWS_A_TRANSACTION):
        booked = db.transact_now(book_counts, chunk, now)
        counted, unchanged, done = counted + booked.counted, unchanged + booked.unchanged, done + len(chunk)
        older += [_older(*each) for each in booked.older]
        if progress:
            progress(done, len(counts))
    return ImportedStock(counted, unchanged, tuple(older), _in_order([*rejected, *unnamed]), file.ignored)


def _older(count: Count, booked_as_of: datetime) -> RowError:
    settled = f"the newest count that is booked, or what is archived, of {booked_as_of:%Y-%m-%d %H:%M:%S} UTC"
    problem = f"it was counted before {settled}"
    return RowError(count.line, "as_of", problem, "Nothing to do, unless the instant is wrong")


def _in_order(errors: Sequence[RowError]) -> tuple[RowError, ...]:
    return tuple(sorted(errors, key=lambda error: (error.line, error.column)))
