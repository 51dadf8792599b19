"""Archive: file by file, each durable before its movements go, beside a daemon that works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from syncd.chance import SystemRng
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Held, Lease, acquire, process_of, release, this_process
from syncd.stock.archive.files import ArchiveRefused, FileEntry, prepare, write_manifest, write_movements
from syncd.stock.archive.prefixes import Prefix, find_prefixes, load_movements
from syncd.stock.archive.store import (
    TERM_S,
    LevelArchived,
    count_movements,
    known_files,
    open_archive,
    record_file,
)
from syncd.stock.ledger import LevelKey

KEPT_DAYS: Final = 400
LEAST_DAYS: Final = 35
"""Counts of stock may be weeks late, and read what moved since."""

PAGE: Final = 20_000
"""Movements a file, and a transaction."""

LEASE: Final = "archive"
_ATTEMPTS: Final = 5

Progress = Callable[[int, int], None]
"""Called after each page with (movements passed, movements in all)."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What a run has moved, and all that the folder holds now."""

    archive: str
    cut: datetime
    movements: int
    new: tuple[FileEntry, ...]
    files: tuple[FileEntry, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "archive": self.archive,
            "older_than": self.cut,
            "movements": self.movements,
            "new_files": self.new,
            "files": len(self.files),
            "movements_in_all": sum(file.movements for file in self.files),
        }


@dataclass(frozen=True, slots=True)
class _Page:
    prefixes: tuple[Prefix, ...]
    next: LevelKey | None
    passed: int


def archive_movements(
    db: Database, folder: Path, keep_days: int, now: datetime, progress: Progress | None = None
) -> Archived:
    """Move what is older than `keep_days` into files of `folder`. Raises ArchiveRefused before anything has changed.

    Stopped at any moment, it has lost nothing and goes on with the next run.
    """
    if keep_days < LEAST_DAYS:
        problem = f"--keep-days {keep_days} keeps too little: counts of stock are booked against what moved since"
        raise ArchiveRefused(f"{problem}. Keep {LEAST_DAYS} days or more")
    cut = now - timedelta(days=keep_days)
    with alone(db) as lease:
        name = db.transact_now(open_archive, SystemRng().uuid().hex, now)
        before = db.read_now(known_files)
        prepare(folder, name, before, now)
        _move(db, folder, name, cut, now, lease, progress)
        files = db.read_now(known_files)
        write_manifest(folder, name, files, now)
    new = files[len(before) :]
    return Archived(name, cut, sum(file.movements for file in new), new, files)


@contextmanager
def alone(db: Database) -> Iterator[Lease]:
    """Hold the archive's lease. Raises ArchiveRefused while another process does."""
    holder = this_process()
    taken = db.transact_now(acquire, LEASE, holder, real_now(), TERM_S)
    if isinstance(taken, Held):
        pid = process_of(taken.holder)
        who = f"process {pid}" if pid else taken.holder.split("/")[0]
        raise ArchiveRefused(f"another `syncd archive` works on this database ({who}): wait until it has ended")
    try:
        yield taken
    finally:
        db.transact_now(release, (taken,))


def _move(
    db: Database, folder: Path, name: str, cut: datetime, now: datetime, lease: Lease, progress: Progress | None
) -> None:
    begin: LevelKey | None = (0, 0)
    total = db.read_now(count_movements) if progress else 0
    number, passed, attempts = _next_number(db), 0, 0
    while begin is not None:
        page = _gather(db, begin, cut)
        if page.prefixes:
            movements = db.read_now(load_movements, page.prefixes)
            file = write_movements(folder, name, number, movements)
            try:
                lease = db.transact_now(record_file, lease, file, page.prefixes, movements, now)
            except LevelArchived:
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise
                number = _next_number(db)  # it may be this very page that was recorded, and its answer lost
                continue
            number, attempts = number + 1, 0
        begin, passed = page.next, passed + page.passed
        if progress:
            progress(passed, max(total, passed))


def _next_number(db: Database) -> int:
    files = db.read_now(known_files)
    return files[-1].number + 1 if files else 1


def _gather(db: Database, begin: LevelKey, cut: datetime) -> _Page:
    """Prefixes from `begin` on until a page is full. Movements never change, so each look may be a read of its own."""
    prefixes: list[Prefix] = []
    room, passed = PAGE, 0
    following: LevelKey | None = begin
    while following is not None and room:
        found = db.read_now(find_prefixes, following, cut, room)
        prefixes += found.prefixes
        room -= sum(map(len, found.prefixes))
        following, passed = found.next, passed + found.passed
    return _Page(tuple(prefixes), following, passed)
