"""The folder of an archive: whose it is, complete and writable, before anything is written into it."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from syncd.stock.archive.files import (
    MANIFEST,
    NAME,
    ArchiveRefused,
    FileEntry,
    Manifest,
    ManifestBroken,
    read_manifest,
    sync_folder,
    write_manifest,
)

_REMEDY: Final = "Name a folder that this user may write to, on a disk with room"
_BEGUN: Final = re.compile(rf"\.(?:{NAME.pattern}|{re.escape(MANIFEST)})\.tmp")


@contextmanager
def prepared(folder: Path, archive: str, files: Sequence[FileEntry], now: datetime) -> Iterator[None]:
    """Hold a folder that is this archive's, complete and writable. Raises ArchiveRefused.

    A file that a run left behind before it was recorded stays: a copy of this database could not know whether the
    database has recorded it since.
    """
    try:
        _make(folder)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as err:
        raise ArchiveRefused(f"{folder} cannot be made: {folder.parent} is not there. Make it first") from err
    except OSError as err:
        raise ArchiveRefused(f"{folder} cannot be written: {err.strerror or err}. {_REMEDY}") from err
    try:
        _hold(folder, held)
        try:
            _refuse_strangers(folder, archive, files)
            _take_away_what_was_begun(folder)
            write_manifest(folder, archive, files, now)
        except OSError as err:
            raise ArchiveRefused(f"{folder} cannot be written: {err.strerror or err}. {_REMEDY}") from err
        yield
    finally:
        os.close(held)


def _make(folder: Path) -> None:
    """Make the folder, its own name durable before anything in it is believed."""
    folder.mkdir(exist_ok=True)
    try:
        sync_folder(folder.absolute().parent)
    except PermissionError:  # above it nothing can be read, and so nothing was made there
        return


def _hold(folder: Path, held: int) -> None:
    """One run a folder, whatever the database: a copy of one has the name of its archive too."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        raise ArchiveRefused(f"another `syncd archive` writes to {folder}: wait until it has ended") from err
    except OSError:  # a file system that knows no locks
        return


def _take_away_what_was_begun(folder: Path) -> None:
    """What a killed run had not written to its end (see write_durably); other hidden files are not ours."""
    for name in os.listdir(folder):
        if _BEGUN.fullmatch(name):
            (folder / name).unlink()


def _refuse_strangers(folder: Path, archive: str, files: Sequence[FileEntry]) -> None:
    names = {name for name in os.listdir(folder) if NAME.fullmatch(name)}
    known = {file.name for file in files}
    manifest = _manifest(folder, strangers=names - known)
    if manifest is not None and manifest.archive != archive:
        raise ArchiveRefused(f"{folder} holds the archive of another database: name another folder")
    if missing := sorted(known - names):
        problem = f"{folder} lacks {len(missing)} files of this archive, the first is {missing[0]}"
        raise ArchiveRefused(f"{problem}: name the folder that has them, or copy them there")
    newer = sorted(file.name for file in (manifest.files if manifest else ()) if file.name not in known)
    if newer:
        problem = f"{folder} has {newer[0]}, which the database does not know: it was restored from an older backup"
        raise ArchiveRefused(f"{problem}. Move {', '.join(newer[:5])} and {MANIFEST} away, with what comes after them")


def _manifest(folder: Path, strangers: set[str]) -> Manifest | None:
    """The manifest; one that is lost or broken is written anew where every file is one that the database knows."""
    try:
        manifest = read_manifest(folder)
    except ManifestBroken:
        if strangers:
            raise
        return None
    if manifest is None and strangers:
        problem = f"{folder} has files of movements and no {MANIFEST}, the first is {min(strangers)}"
        raise ArchiveRefused(f"{problem}: put {MANIFEST} back, or name another folder")
    return manifest
