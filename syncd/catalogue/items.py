"""`syncd import items FILE`: SKUs, their other names, and what kits and packs are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from syncd.catalogue.codes import normalise
from syncd.catalogue.item_file import OPTIONAL, REQUIRED, Kit, not_whole, read_items
from syncd.catalogue.item_store import RecordedItems, record_items, refuse_taken
from syncd.catalogue.kits import RecordedKits, plan_kits, record_kits
from syncd.csv_rows import CsvFile, Progress, RowError, in_chunks
from syncd.db.database import Database

ITEMS_A_TRANSACTION: Final = 500
KITS_A_TRANSACTION: Final = 200


@dataclass(frozen=True, slots=True)
class ImportedItems:
    """What an import did, in SKUs; a kit that got other parts is changed."""

    new: int
    changed: int
    unchanged: int
    rejected: tuple[RowError, ...]
    relisted: int  # listings that are now made of other parts
    to_map_again: int  # listings of a changed kit that could be another kit's as well: map them by hand
    ignored_columns: tuple[str, ...]


def import_items(db: Database, path: Path, now: datetime, progress: Progress | None = None) -> ImportedItems:
    """Declare every SKU and kit of a file that can be; importing it again changes nothing.

    Raises ImportFileError when the file as a whole cannot be used; then nothing was taken over.
    """
    file = CsvFile(path, REQUIRED, OPTIONAL)
    read = read_items(file)
    items, taken = refuse_taken(read.items, {})
    rejected = [*read.rejected, *taken]
    done, total = 0, len(items) + len(read.kits)
    recorded: list[RecordedItems] = []
    for chunk in in_chunks(items, ITEMS_A_TRANSACTION):
        recorded.append(db.transact_now(record_items, chunk, now))
        rejected += recorded[-1].rejected
        done += len(chunk)
        if progress:
            progress(done, total)

    kits, spoilt = _sound_kits(read.kits, rejected)
    plan = db.read_now(plan_kits, kits)
    rejected += [*spoilt, *plan.rejected]
    total = done + len(plan.bills)
    made: list[RecordedKits] = []
    for bills in in_chunks(list(plan.bills.items()), KITS_A_TRANSACTION):
        made.append(db.transact_now(record_kits, dict(bills), now))
        rejected += _overtaken(kits, made[-1])
        done += len(bills)
        if progress:
            progress(done, total)

    new = {code for each in recorded for code in each.new}
    rebuilt = {plan.codes[sku_id] for each in made for sku_id in each.changed}
    changed = {code for each in recorded for code in each.changed} | (rebuilt - new)
    unchanged = {code for each in recorded for code in each.unchanged} | {plan.codes[sku_id] for sku_id in plan.bills}
    return ImportedItems(
        len(new),
        len(changed),
        len(unchanged - changed - new),
        tuple(sorted(rejected, key=lambda error: (error.line, error.column))),
        sum(each.relisted for each in made),
        sum(len(each.left) for each in made),
        file.ignored,
    )


def _overtaken(kits: tuple[Kit, ...], recorded: RecordedKits) -> list[RowError]:
    """The rows of kits that somebody else's change of kits, since they were checked, makes impossible."""
    problems = {normalise(code): problem for code, problem in recorded.refused.items()}
    return [
        RowError(
            part.line, "component", problems[kit.code], "Another import has just changed kits: correct one of both"
        )
        for kit in kits
        if kit.code in problems
        for part in kit.parts
    ]


def _sound_kits(kits: tuple[Kit, ...], rejected: list[RowError]) -> tuple[tuple[Kit, ...], list[RowError]]:
    """Part kits from those with a part on a row that was rejected for another reason."""
    bad_lines = {error.line for error in rejected}
    sound: list[Kit] = []
    errors: list[RowError] = []
    for kit in kits:
        bad_line = next((part.line for part in kit.parts if part.line in bad_lines), None)
        if bad_line is None:
            sound.append(kit)
        else:
            errors += [not_whole(part.line, bad_line) for part in kit.parts if part.line != bad_line]
    return tuple(sound), errors
