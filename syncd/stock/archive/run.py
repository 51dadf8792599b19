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
from syncd.errors import SyncdError
from syncd.stock.archive.files import ArchiveRefused, FileEntry, write_manifest, write_movements
from syncd.stock.archive.folder import prepared
from syncd.stock.archive.prefixes import (
    BrokenLevel,
    Loaded,
    Prefix,
    find_prefixes,
    load_movements,
    name_broken,
)
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

_MOST_DAYS: Final = 36_500

PAGE: Final = 20_000
"""Movements a file, and a transaction."""

MOST_TOLD: Final = 50
"""How many levels that were left out are told by name; all are counted."""

LEASE: Final = "archive"
_ATTEMPTS: Final = 5


class ArchiveStopped(SyncdError):
    """A file could not be written; what was archived before it stays so."""


Progress = Callable[[int, int], None]
"""Called after each page with (movements passed, movements in all)."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What a run has moved, all that the folder holds now, and how many levels were left out."""

    archive: str
    cut: datetime
    movements: int
    new: tuple[FileEntry, ...]
    files: tuple[FileEntry, ...]
    left_out: int = 0
    broken: tuple[BrokenLevel, ...] = ()
    """The first of the levels that were left out."""

    def to_json(self) -> dict[str, object]:
        return {
            "archive": self.archive,
            "older_than": self.cut,
            "movements": self.movements,
            "new_files": self.new,
            "files": len(self.files),
            "movements_in_all": sum(file.movements for file in self.files),
            "left_out": self.left_out,
            "broken": self.broken,
        }


@dataclass(frozen=True, slots=True)
class _Page:
    prefixes: tuple[Prefix, ...]
    next: LevelKey | None
    passed: int
    broken: tuple[LevelKey, ...]

    def behind(self, key: LevelKey) -> LevelKey | None:
        """Where the next page begins when nothing more of this level is to be read."""
        return (key[0], key[1] + 1) if self.next == key else self.next


def archive_movements(
    db: Database, folder: Path, keep_days: int, now: datetime, progress: Progress | None = None
) -> Archived:
    """Move what is older than `keep_days` into files of `folder`. Raises ArchiveRefused before anything has changed.

    Stopped at any moment, it has lost nothing and goes on with the next run. A level of which movements are missing is
    left out. Raises ArchiveStopped where a file cannot be written.
    """
    if keep_days < LEAST_DAYS:
        problem = f"--keep-days {keep_days} keeps too little: counts of stock are booked against what moved since"
        raise ArchiveRefused(f"{problem}. Keep {LEAST_DAYS} days or more")
    if keep_days > _MOST_DAYS:
        raise ArchiveRefused(f"--keep-days {keep_days} is more than a hundred years: say {_MOST_DAYS} or less")
    cut = now - timedelta(days=keep_days)
    with alone(db) as lease:
        name = db.transact_now(open_archive, SystemRng().uuid().hex, now)
        before = db.read_now(known_files)
        with prepared(folder, name, before, now):
            try:
                left_out = _move(db, folder, name, cut, now, lease, progress)
                files = db.read_now(known_files)
                write_manifest(folder, name, files, now)
            except OSError as err:
                problem = f"{folder} cannot be written any more: {err.strerror or err}"
                remedy = "Nothing is lost, and what was archived stays so: make room there, and run this again"
                raise ArchiveStopped(f"{problem}. {remedy}") from err
    new = files[len(before) :]
    broken = tuple(db.read_now(name_broken, key) for key in left_out[:MOST_TOLD])
    return Archived(name, cut, sum(file.movements for file in new), new, files, len(left_out), broken)


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
) -> list[LevelKey]:
    """Page by page to the end. Returns the levels that were left out."""
    begin: LevelKey | None = (0, 0)
    broken: set[LevelKey] = set()
    total = db.read_now(count_movements) if progress else 0
    number, passed, attempts = _next_number(db), 0, 0
    while begin is not None:
        page = _gather(db, begin, cut)
        loaded = db.read_now(load_movements, page.prefixes) if page.prefixes else Loaded((), [], ())
        if loaded.prefixes:
            file = write_movements(folder, name, number, loaded.movements)
            try:
                lease = db.transact_now(record_file, lease, file, loaded.prefixes, loaded.movements, now)
            except LevelArchived:
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise
                number = _next_number(db)  # it may be this very page that was recorded, and its answer lost
                continue
            number, attempts = number + 1, 0
        broken.update(page.broken, loaded.broken)
        begin, passed = page.behind(loaded.broken[-1]) if loaded.broken else page.next, passed + page.passed
        if progress:
            progress(passed, max(total, passed))
    return sorted(broken)


def _next_number(db: Database) -> int:
    files = db.read_now(known_files)
    return files[-1].number + 1 if files else 1


def _gather(db: Database, begin: LevelKey, cut: datetime) -> _Page:
    """Prefixes from `begin` on until a page is full. Movements never change, so each look may be a read of its own."""
    prefixes: list[Prefix] = []
    broken: list[LevelKey] = []
    room, passed = PAGE, 0
    following: LevelKey | None = begin
    while following is not None and room:
        found = db.read_now(find_prefixes, following, cut, room)
        prefixes += found.prefixes
        broken += found.broken
        room -= sum(map(len, found.prefixes))
        following, passed = found.next, passed + found.passed
    return _Page(tuple(prefixes), following, passed, tuple(broken))
