"""Read a seller's CSV file row by row: what is wrong with one row is told, and never stops the others."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from syncd.errors import SyncdError, suggest

T = TypeVar("T")

Line = tuple[int, dict[str, str]]
"""(line number of the row's first line, trimmed cells by column); every known column of the file is there."""

Progress = Callable[[int, int | None], None]
"""(rows done, rows in all if known), called after every transaction of an import."""

MOST: Final = 1_000_000_000
"""The largest number of pieces a cell may hold: far above any stock, and safe in a 32 bit column."""

_BLOCK: Final = 1 << 20
_DELIMITERS: Final = ",;\t"


class ImportFileError(SyncdError):
    """A file cannot be imported at all; the message says what to do."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}. {remedy}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with one row; `column` is empty where it is the row as a whole."""

    line: int
    column: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.problem}. {self.remedy}"


class CsvFile:
    """A CSV file with a header, opened for reading: UTF-8 with or without BOM; comma, semicolon or tab.

    Raises ImportFileError, before the first row is given out, when the file as a whole cannot be used.
    """

    def __init__(self, path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.path = path
        known = list(dict.fromkeys((*required, *optional)))
        _require_text(path)
        self._delimiter = max(_DELIMITERS, key=lambda each: _fitness(_header(path, each), known))
        self.columns = _header(path, self._delimiter)
        self.ignored = tuple(name for name in self.columns if name and name not in known)
        self._check_header(required, known)

    def __iter__(self) -> Iterator[Line | RowError]:
        """Every row that is not blank, in order."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self._delimiter, strict=True)
            header_is_due = True
            while True:
                line = reader.line_num + 1
                try:
                    cells = [cell.strip() for cell in next(reader)]
                except StopIteration:
                    return
                except csv.Error as err:
                    yield _unreadable(line, err)
                    continue
                if not any(cells):
                    continue
                if header_is_due:
                    header_is_due = False
                    continue
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Line | RowError:
        width = len(self.columns)
        if any(cells[width:]):
            return RowError(
                line,
                "",
                f"it has {len(cells)} cells, the header has {width}",
                f"Put quotes around a text that contains {_NAMES[self._delimiter]}",
            )
        cells += [""] * (width - len(cells))
        return line, {name: cell for name, cell in zip(self.columns, cells, strict=False) if name}

    def _check_header(self, required: Sequence[str], known: Sequence[str]) -> None:
        named = [name for name in self.columns if name]
        if not named:
            raise ImportFileError(
                self.path, "it has no header", f"Its first line names the columns, at least {', '.join(required)}"
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ImportFileError(
                self.path, f"its header names {', '.join(twice)} more than once", "Remove or rename one of the columns"
            )
        missing = [name for name in required if name not in named]
        if missing:
            raise ImportFileError(
                self.path,
                f"column {', '.join(missing)} is missing; its header has {', '.join(named)}",
                f"The first line names the columns, separated by comma, semicolon or tab; known are {', '.join(known)}",
            )
        for name in self.ignored:
            meant = suggest(name, [each for each in known if each not in named], "")
            if meant:
                raise ImportFileError(self.path, f"column {name} is not known", f"{meant} Rename or remove it")


def whole_number(line: int, column: str, text: str, least: int = 0) -> int | RowError:
    """A number of pieces from a cell, at least `least`."""
    if not re.fullmatch(r"-?[0-9]+", text):
        problem = f"{text!r} is not a whole number" if text else "it is empty"
        return RowError(line, column, problem, "Write digits only, without decimals, separators and units")
    if len(text.lstrip("-0")) > len(str(MOST)) or int(text) > MOST or int(text) < least:
        return RowError(line, column, f"{text} is out of range", f"Write a whole number from {least} to {MOST}")
    return int(text)


def in_chunks(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in order, `size` at a time."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk


_NAMES: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _require_text(path: Path) -> None:
    """Read the file once, so that nothing of one that breaks off in the middle is taken over."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    raise ImportFileError(path, "it is not text", "Save it as CSV with the encoding UTF-8")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as err:
        raise ImportFileError(path, "it is not text in UTF-8", "Save it as CSV with the encoding UTF-8") from err
    except OSError as err:
        reason = err.strerror or str(err)
        raise ImportFileError(path, f"it cannot be read ({reason.lower()})", "Check its path and its rights") from err


def _header(path: Path, delimiter: str) -> list[str]:
    """The column names of the first line that is not blank, as this delimiter would have them; [] if it cannot be."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for cells in csv.reader(file, delimiter=delimiter, strict=True):
                if any(cell.strip() for cell in cells):
                    return [" ".join(cell.split()).casefold() for cell in cells]
        except csv.Error:
            return []
    return []


def _fitness(header: Sequence[str], known: Sequence[str]) -> tuple[int, int]:
    return sum(name in known for name in header), len(header)


def _unreadable(line: int, err: csv.Error) -> RowError:
    if "unexpected end" in str(err) or "field larger" in str(err):
        return RowError(
            line, "", "a quote is opened and never closed", "Close or double it; the rows inside it were not read"
        )
    return RowError(line, "", f"it cannot be read ({err})", 'Write a quote inside a quoted text twice: "5"" pipe"')
