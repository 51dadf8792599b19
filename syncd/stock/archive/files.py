"""Files of archived movements, and the manifest that lists them.

A file is gzip: a line that says whose it is, then a line of JSON for each movement, in order of (sku_id,
warehouse_id, seq). It is durable under its name before anything believes that it is there.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

from syncd.errors import SyncdError

MANIFEST: Final = "archive.json"
_LEVEL: Final = 6
NAME: Final = re.compile(r"movements-\d{6,}-[0-9a-f]{12}\.jsonl\.gz")


class ArchiveRefused(SyncdError):
    """Movements cannot be archived as asked; nothing has changed."""


class ManifestBroken(ArchiveRefused):
    """The folder's manifest is not one."""


_PUT_BACK: Final = "put it back as it was, from a backup of the folder"

Whole = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
"""No file makes sums of its numbers that are none any more."""

At = Annotated[datetime, msgspec.Meta(tz=True)]


class ArchivedMovement(msgspec.Struct, frozen=True, gc=False):
    """One line: a movement as the ledger had it, with the names that its SKU and its warehouse had then."""

    sku_id: Whole
    warehouse_id: Whole
    seq: Whole
    sku: str
    warehouse: str
    kind: str
    d_on_hand: Whole
    d_unavailable: Whole
    d_reserved: Whole
    lot_id: int | None
    cause_key: str
    actor: str
    at: At

    @property
    def key(self) -> tuple[int, int]:
        return self.sku_id, self.warehouse_id


class Header(msgspec.Struct, frozen=True):
    archive: str
    number: int
    movements: int


class FileEntry(msgspec.Struct, frozen=True):
    """A file as the database and the manifest know it."""

    number: int
    name: str
    sha256: str
    movements: int
    first_at: At
    last_at: At


class Manifest(msgspec.Struct, frozen=True):
    archive: str
    written_at: At
    files: tuple[FileEntry, ...]


_encoder = msgspec.json.Encoder()
_header = msgspec.json.Decoder(Header)
_movement = msgspec.json.Decoder(ArchivedMovement)
_manifest = msgspec.json.Decoder(Manifest)


def file_name(number: int, sha256: str) -> str:
    """By its content: who believes wrongly that a number is free writes beside the file that has it, not over it."""
    return f"movements-{number:06}-{sha256[:12]}.jsonl.gz"


def write_movements(folder: Path, archive: str, number: int, movements: Sequence[ArchivedMovement]) -> FileEntry:
    """Write a file, durable and read back when this returns. Raises OSError."""
    lines = [_encoder.encode(Header(archive, number, len(movements))), *map(_encoder.encode, movements)]
    packed = gzip.compress(b"\n".join(lines) + b"\n", _LEVEL, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    name = file_name(number, digest)
    write_durably(folder / name, packed)
    if hash_of(folder / name) != digest:
        raise OSError(errno.EIO, "what was written there is not what is read back")
    instants = [each.at for each in movements]
    return FileEntry(number, name, digest, len(movements), min(instants), max(instants))


def write_durably(path: Path, content: bytes) -> None:
    """All of it under its name, or nothing: also when the power goes at any moment."""
    scratch = path.with_name(f".{path.name}.tmp")
    try:
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_movements(path: Path, archive: str) -> Iterator[tuple[int, ArchivedMovement | str]]:
    """(line, movement) of each line, or (line, what is wrong with it). The first line is the header, line 1.

    Raises OSError, EOFError or zlib.error where the file cannot be unpacked.
    """
    with gzip.open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if number > 1:
                    yield number, _movement.decode(line)
                elif (found := _header.decode(line).archive) != archive:
                    yield number, f"it is of the archive {found}, not of {archive}"
            except (msgspec.MsgspecError, UnicodeDecodeError):
                yield number, "it is not a movement" if number > 1 else "it is not the header of a file of movements"


def write_manifest(folder: Path, archive: str, files: Sequence[FileEntry], now: datetime) -> None:
    packed = msgspec.json.encode(Manifest(archive, now, tuple(files)))
    write_durably(folder / MANIFEST, msgspec.json.format(packed, indent=1) + b"\n")


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest; None where there is none. Raises ManifestBroken for one that cannot be read."""
    try:
        return _manifest.decode((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as err:
        raise ManifestBroken(f"{folder / MANIFEST} cannot be read: {err.strerror or err}: {_PUT_BACK}") from err
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise ManifestBroken(f"{folder / MANIFEST} is no manifest of an archive ({err}): {_PUT_BACK}") from err
