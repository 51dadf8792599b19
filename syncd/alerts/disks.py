"""The disks that syncd needs room on: the database's, where it lies on this machine, and those for files and logs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from syncd.db.engine import is_sqlite

LOW_SHARE: Final = 0.05
LOW_BYTES: Final = 1024**3
_ENOUGH_AGAIN: Final = 1.2
_LOGS: Final = Path("/var/log")


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a disk."""

    free: int
    total: int

    def is_low(self, *, was_low: bool) -> bool:
        """Below a twentieth of a small disk, or a gibibyte; enough again only somewhat above that."""
        least = min(LOW_BYTES, self.total * LOW_SHARE)
        return self.free < least * (_ENOUGH_AGAIN if was_low else 1.0)


@dataclass(frozen=True, slots=True)
class Disk:
    """One that is looked at: the key of its alert, a folder on it, and what it is needed for."""

    key: str
    folder: Path
    use: str
    impact: str


def space_of(folder: Path) -> Space:
    found = shutil.disk_usage(folder)
    return Space(found.free, found.total)


def database_folder(url: str) -> Path | None:
    """Where a SQLite database lies; None for one on a server, whose disk is not ours to see."""
    name = make_url(url).database
    return Path(name).resolve().parent if is_sqlite(url) and name else None


def watched_disks(url: str) -> tuple[Disk, ...]:
    """Each once, though several folders may lie on one disk."""
    found: list[Disk] = []
    devices: set[int] = set()
    for disk in _wanted(url):
        if not disk.folder.is_dir() or _is_an_image(disk.folder):
            continue
        device = disk.folder.stat().st_dev
        if device not in devices:
            devices.add(device)
            found.append(disk)
    return tuple(found)


def _is_an_image(folder: Path) -> bool:
    """Whether it lies in a read-only image, which is full by its nature."""
    found = os.statvfs(folder)
    return bool(found.f_flag & os.ST_RDONLY) and found.f_bfree == 0


def _wanted(url: str) -> Iterator[Disk]:
    of_database = database_folder(url)
    if of_database is not None:
        yield Disk("disk_low", of_database, "the database", "no order can be taken in when it is full")
    yield Disk("disk_low:work", Path.cwd(), "syncd's working folder", "syncd may fail to start again when it is full")
    yield Disk("disk_low:temp", Path(tempfile.gettempdir()), "temporary files", "long work may fail when it is full")
    yield Disk("disk_low:logs", _LOGS, "logs", "nobody can see what happened once it is full")
