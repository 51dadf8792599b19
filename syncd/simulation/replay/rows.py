"""The rows of an orders file, one after the other: CSV with comma, semicolon or tab, also gzipped, of any size."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from syncd.simulation.replay.columns import Columns, OrdersUnreadable, find_columns

_DELIMITERS: Final = ",;\t"
_SNIFFED: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class RawRow:
    """A line of an order as it stands there; `cells` None: it cannot be read, and `problem` says why."""

    number: int
    cells: list[str] | None
    problem: str = ""


class OrdersCsv:
    """Raises OrdersUnreadable when the file as a whole cannot be used."""

    def __init__(self, path: Path, told: Mapping[str, str]) -> None:
        self.path = path
        with self._opened() as text:
            first = text.readline(_SNIFFED)
        if not first.strip():
            raise OrdersUnreadable(path, "it has no header. Its first line names the columns")
        if not _is_text(first):
            raise OrdersUnreadable(path, "its first line is no text. Save the sheet as CSV, in UTF-8")
        self._delimiter = max(_DELIMITERS, key=first.count)
        try:
            header = next(csv.reader([first], delimiter=self._delimiter))
        except csv.Error as err:
            raise OrdersUnreadable(path, f"its header cannot be read: {err}") from err
        self.columns: Columns = find_columns(path, [name.strip() for name in header], told)

    def __iter__(self) -> Iterator[RawRow]:
        """Every row below the header that is not blank. Raises OrdersUnreadable where the file breaks off."""
        with self._opened() as text:
            reader = csv.reader(text, delimiter=self._delimiter)
            next(reader)
            number = 0
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as err:
                    number += 1
                    yield RawRow(number, None, str(err))
                    continue
                if not any(cells):
                    continue
                number += 1
                if len(cells) != self.columns.width:
                    yield RawRow(number, None, f"it has {len(cells)} cells, the header {self.columns.width}")
                else:
                    yield RawRow(number, cells)

    @contextmanager
    def _opened(self) -> Iterator[IO[str]]:
        try:
            with self.path.open("rb") as raw:
                packed = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                source: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
                # what is not UTF-8 is replaced: a broken letter in a description costs nobody an order
                yield io.TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="")
        except (OSError, EOFError, zlib.error, UnicodeError) as err:
            reason = getattr(err, "strerror", None) or str(err)
            raise OrdersUnreadable(self.path, f"it cannot be read ({reason.lower()})") from err


def _is_text(line: str) -> bool:
    """Without control characters, which workbooks, archives, UTF-16 and the like are full of."""
    return all(each.isprintable() or each.isspace() for each in line)
