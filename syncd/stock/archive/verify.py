"""Prove an archive: every file there and as it was written, gap-free, and summing up to what the ledger begins with."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, select, tuple_

from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Lease, renew
from syncd.db.tables import archived_level, level, sku, warehouse
from syncd.stock.archive.files import ArchiveRefused, FileEntry, hash_of, read_manifest, read_movements
from syncd.stock.archive.folds import Folds
from syncd.stock.archive.run import Progress, alone
from syncd.stock.archive.store import TERM_S, Fold, archive_id, known_files
from syncd.stock.ledger import LevelKey

MOST_TOLD: Final = 50
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

    @property
    def sound(self) -> bool:
        return self.counted == 0

    def find(self, wrong: Wrong) -> None:
        self.counted += 1
        if len(self.wrong) < MOST_TOLD:
            self.wrong.append(wrong)

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
        _refuse(folder, name)
        found = Verified(name)
        total = sum(file.movements for file in files)
        for file in files:
            (lease,) = db.transact_now(_prolong, lease)
            _read(folder, name or "", file, folds, found)
            if progress:
                progress(found.movements, max(total, found.movements))
        _compare_manifest(folder, files, found)
        _compare_levels(db, folds, found)
    return found


def _refuse(folder: Path, name: str | None) -> None:
    if not folder.is_dir():
        raise ArchiveRefused(f"{folder} is not a folder: name the one that `syncd archive --to` was given")
    manifest = read_manifest(folder)
    if manifest is not None and manifest.archive != name:
        raise ArchiveRefused(f"{folder} holds the archive of another database: name this one's folder")


def _prolong(connection: Connection, lease: Lease) -> tuple[Lease, ...]:
    return renew(connection, (lease,), real_now(), TERM_S)


def _read(folder: Path, name: str, file: FileEntry, folds: Folds, found: Verified) -> None:
    path = folder / file.name
    read = 0
    new: dict[LevelKey, Fold] = {}
    try:
        if (digest := hash_of(path)) != file.sha256:
            found.find(Wrong(f"its sha256 is {digest}, it was written with {file.sha256}", file.name))
        for line, each in read_movements(path, name):
            if isinstance(each, str):
                found.find(Wrong(each, file.name, line))
                continue
            read += 1
            fold = new.get(each.key) or new.setdefault(each.key, folds.of(each.key))
            if each.seq != fold.seq + 1:
                problem = f"seq {each.seq} comes after {fold.seq}"
                found.find(Wrong(problem, file.name, line, f"{each.sku} in {each.warehouse}"))
            fold.add(each)
    except FileNotFoundError:
        found.find(Wrong("it is not there", file.name))
    except (OSError, EOFError, zlib.error) as err:
        found.find(Wrong(f"it cannot be read to its end: {err}", file.name))
    else:
        if read != file.movements:
            found.find(Wrong(f"it has {read} movements, it was written with {file.movements}", file.name))
    folds.keep(new)
    found.files += 1
    found.movements += read


def _compare_manifest(folder: Path, files: Sequence[FileEntry], found: Verified) -> None:
    manifest = read_manifest(folder)
    if manifest is None:
        if files:
            found.find(Wrong("the manifest archive.json is not there: the next `syncd archive` writes it anew"))
        return
    known = {file.number: file for file in files}
    for told in manifest.files:
        if known.get(told.number) != told:
            found.find(Wrong("the manifest archive.json tells of it otherwise than the database", told.name))


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
