"""Prove an archive: every file there and as it was written, gap-free, and summing up to what the ledger begins with."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, select, tuple_

from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Lease, renew
from syncd.db.tables import archived_level, level, sku, warehouse
from syncd.stock.archive.files import (
    MANIFEST,
    ArchiveRefused,
    FileEntry,
    Manifest,
    ManifestBroken,
    hash_of,
    read_manifest,
    read_movements,
)
from syncd.stock.archive.folds import Folds
from syncd.stock.archive.run import Progress, alone
from syncd.stock.archive.store import TERM_S, Fold, archive_id, known_files
from syncd.stock.ledger import LevelKey

MOST_TOLD: Final = 500
MOST_OF_ONE: Final = 5
"""How many lines of one file, and how many levels, are told: nothing wrong elsewhere is lost behind them."""

REMEDY: Final = (
    "Put files back as they were from a backup of the folder, under their own names. Without one, copy the folder"
    " aside: what is in it and nowhere else is all that is left of these movements. The stock of today does not need"
    " them: `syncd audit` proves it"
)
_LEVELS: Final = 5_000


class Wrong(msgspec.Struct, frozen=True):
    """One thing that is wrong: in which file and line, or with which level."""

    problem: str
    file: str | None = None
    line: int | None = None
    level: str | None = None


@dataclass(slots=True)
class Verified:
    """What was read, and what is wrong: all of it counted, the first told."""

    archive: str | None
    files: int = 0
    movements: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    counted: int = 0
    told: Counter[str | None] = field(default_factory=Counter)
    """How often something of each file was told; None: of levels."""

    @property
    def sound(self) -> bool:
        return self.counted == 0

    def find(self, wrong: Wrong) -> None:
        self.counted += 1
        whole = wrong.file is not None and wrong.line is None
        if len(self.wrong) < MOST_TOLD and (whole or self.told[wrong.file] < MOST_OF_ONE):
            self.wrong.append(wrong)
            self.told[wrong.file] += not whole

    def to_json(self) -> dict[str, object]:
        return {
            "archive": self.archive,
            "sound": self.sound,
            "files": self.files,
            "movements": self.movements,
            "counted": self.counted,
            "wrong": self.wrong,
        }


def verify_archive(db: Database, folder: Path, progress: Progress | None = None) -> Verified:
    """Read every file of the archive. Raises ArchiveRefused while one is being written, or for a folder of another."""
    with alone(db) as lease, Folds() as folds:
        name, files = db.read_now(archive_id), db.read_now(known_files)
        found = Verified(name)
        manifest = _manifest(folder, name, files, found)
        named = {file.sha256: file.name for file in files}
        total = sum(file.movements for file in files)
        for file in files:
            (lease,) = db.transact_now(_prolong, lease)
            _read(folder, name or "", file, named, folds, found)
            if progress:
                progress(found.movements, max(total, found.movements))
        _compare_manifest(manifest, files, found)
        _compare_levels(db, folds, found)
    return found


def _manifest(folder: Path, name: str | None, files: Sequence[FileEntry], found: Verified) -> Manifest | None:
    """The manifest, if it is one. Raises ArchiveRefused for what is no folder of this archive."""
    if not os.path.isdir(folder):
        raise ArchiveRefused(f"{folder} is not a folder: name the one that `syncd archive --to` was given")
    try:
        manifest = read_manifest(folder)
    except ManifestBroken as err:
        found.find(Wrong(f"{err}; or take it away: the next `syncd archive` writes it anew", MANIFEST))
        return None
    if manifest is not None and manifest.archive != name:
        raise ArchiveRefused(f"{folder} holds the archive of another database: name this one's folder")
    if manifest is None and files:
        found.find(Wrong("it is not there: put it back, or let the next `syncd archive` write it anew", MANIFEST))
    return manifest


def _prolong(connection: Connection, lease: Lease) -> tuple[Lease, ...]:
    return renew(connection, (lease,), real_now(), TERM_S)


def _read(folder: Path, name: str, file: FileEntry, named: Mapping[str, str], folds: Folds, found: Verified) -> None:
    path = folder / file.name
    read = 0
    new: dict[LevelKey, Fold] = {}
    gaps_before = not found.sound  # what comes first here may be no fault of this file
    try:
        if (digest := hash_of(path)) != file.sha256:
            problem = f"its sha256 is {digest}, it was written with {file.sha256}"
            if digest in named:
                problem = f"it has the content of {named[digest]}: give each its own name again"
            found.find(Wrong(problem, file.name))
        for line, each in read_movements(path, name):
            if isinstance(each, str):
                found.find(Wrong(each, file.name, line))
                continue
            read += 1
            is_first = each.key not in new
            fold = new.setdefault(each.key, folds.of(each.key)) if is_first else new[each.key]
            if each.seq != fold.seq + 1 and not (is_first and gaps_before):
                problem = f"seq {each.seq} comes after {fold.seq}"
                found.find(Wrong(problem, file.name, line, f"{each.sku} in {each.warehouse}"))
            fold.add(each)
    except FileNotFoundError:
        found.find(Wrong("it is not there: put it back from a backup of the folder", file.name))
    except IsADirectoryError:
        found.find(Wrong("a folder is in its place: put the file back from a backup", file.name))
    except PermissionError:
        found.find(Wrong("this user may not read it: allow it, and verify again", file.name))
    except (OSError, EOFError, zlib.error) as err:
        found.find(Wrong(f"it cannot be read to its end: {err}", file.name))
    else:
        if read != file.movements:
            found.find(Wrong(f"it has {read} movements, it was written with {file.movements}", file.name))
    folds.keep(new)
    found.files += 1
    found.movements += read


def _compare_manifest(manifest: Manifest | None, files: Sequence[FileEntry], found: Verified) -> None:
    known = {file.number: file for file in files}
    for told in manifest.files if manifest is not None else ():
        if told.number not in known:
            problem = f"it lists {told.name}, which the database does not know: it was restored from an older backup"
            found.find(Wrong(problem, MANIFEST))
        elif known[told.number] != told:
            problem = f"it tells of {told.name} otherwise than the database: the next `syncd archive` writes it anew"
            found.find(Wrong(problem, MANIFEST))


def _compare_levels(db: Database, folds: Folds, found: Verified) -> None:
    after: LevelKey | None = (0, 0)
    while after is not None:
        bases, raised, after = db.read_now(_bases, after)
        folds.expect(bases)
        for name, archived_seq, seq in raised:
            problem = f"its movements are archived up to {archived_seq}, its sums are those up to {seq}"
            found.find(Wrong(problem, level=name))
    for key, expected, told in folds.different():
        problem = f"the files sum up to {_sums(told)}, the database has {_sums(expected)}"
        found.find(Wrong(problem, level=db.read_now(_name, key)))


def _sums(told: tuple[int, int, int, int]) -> str:
    return "seq {}, on hand {}, unavailable {}, reserved {}".format(*told)


def _bases(
    connection: Connection, after: LevelKey
) -> tuple[list[tuple[int, ...]], list[tuple[str, int, int]], LevelKey | None]:
    """The bases of some levels, those that do not fit their level's archived_seq by name, and where to go on after."""
    page = (
        select(level.c.sku_id, level.c.warehouse_id, level.c.archived_seq)
        .where(tuple_(level.c.sku_id, level.c.warehouse_id) > tuple_(*after))
        .order_by(level.c.sku_id, level.c.warehouse_id)
        .limit(_LEVELS)
        .subquery("page")
    )
    base = archived_level.c
    wanted = (
        select(page, base.seq, base.on_hand, base.unavailable, base.reserved)
        .outerjoin_from(
            page, archived_level, (base.sku_id == page.c.sku_id) & (base.warehouse_id == page.c.warehouse_id)
        )
        .order_by(page.c.sku_id, page.c.warehouse_id)
    )
    rows = connection.execute(wanted).all()
    bases = [(row.sku_id, row.warehouse_id, *row[3:]) for row in rows if row.seq is not None]
    raised = [
        (_name(connection, row[:2]), row.archived_seq, row.seq or 0)
        for row in rows
        if row.archived_seq != (row.seq or 0)
    ]
    following = (rows[-1].sku_id, rows[-1].warehouse_id) if len(rows) == _LEVELS else None
    return bases, raised, following


def _name(connection: Connection, key: Sequence[int]) -> str:
    code = connection.execute(select(sku.c.code).where(sku.c.id == key[0])).scalar_one_or_none()
    place = connection.execute(select(warehouse.c.key).where(warehouse.c.id == key[1])).scalar_one_or_none()
    return f"{code or f'SKU {key[0]}'} in {place or f'warehouse {key[1]}'}"
