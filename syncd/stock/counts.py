"""Counts of stock as a file gives them, and the movements they make. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from syncd.catalogue.codes import normalise
from syncd.csv_rows import Line, RowError, whole_number
from syncd.db.types import to_micros
from syncd.errors import suggest
from syncd.stock.ledger import Cause, Ledger, LevelKey

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of whoever counts may run ahead of ours."""

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EXAMPLE: Final = "Write it like 2025-03-31T18:30:00+02:00"


@dataclass(frozen=True, slots=True)
class CountedWarehouse:
    """A warehouse as a count must know it."""

    warehouse_id: int
    key: str
    kind: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class CountRow:
    """What stood in a warehouse at `as_of`, as a row says it; `code` is any code of the SKU."""

    line: int
    code: str
    warehouse: CountedWarehouse
    on_hand: int
    unavailable: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What of a SKU stood in a warehouse at `as_of`."""

    line: int
    key: LevelKey
    on_hand: int
    unavailable: int
    as_of: datetime

    @property
    def name(self) -> str:
        """The same for the same finding at the same instant: what its movement's cause is called."""
        return f"count/{to_micros(self.as_of)}/{self.on_hand}/{self.unavailable}"


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of counts; `older` ones were taken before that instant: of the newest count, or of an archive."""

    counted: int
    unchanged: int
    older: tuple[tuple[Count, datetime], ...]


def book(
    counts: Sequence[Count], moved: Mapping[LevelKey, tuple[int, int]], newest: Mapping[LevelKey, str], ledger: Ledger
) -> Booked:
    """Book each count: what stood there then, and what has moved since, stands there now.

    `moved` is what came and went after each count's instant; `newest` names the newest count of each level. Truth is
    never refused: what a count takes away from reservations becomes `short`.
    """
    counted = unchanged = 0
    older: list[tuple[Count, datetime]] = []
    for count in counts:
        level = ledger.level(*count.key)
        if level.as_of is not None and count.as_of < level.as_of:
            older.append((count, level.as_of))
            continue
        on_hand, unavailable = moved.get(count.key, (0, 0))
        d_on_hand = count.on_hand + on_hand - level.on_hand
        d_unavailable = max(0, count.unavailable + unavailable) - level.unavailable
        repeated = count.as_of == level.as_of
        if repeated and (newest.get(count.key) == count.name or not (d_on_hand or d_unavailable)):
            unchanged += 1
            continue
        ledger.count(count.key, d_on_hand, d_unavailable, count.as_of, Cause(count.name, level.seq + 1))
        counted += 1
    return Booked(counted, unchanged, tuple(older))


def read_counts(
    lines: Iterable[Line | RowError],
    warehouses: Mapping[str, CountedWarehouse],
    now: datetime,
    default_as_of: datetime | None,
) -> tuple[list[CountRow], list[RowError]]:
    """The rows of a stock file, and what is wrong with the others."""
    counts: list[CountRow] = []
    rejected: list[RowError] = []
    for line in lines:
        read = line if isinstance(line, RowError) else _count(*line, warehouses, now, default_as_of)
        if isinstance(read, RowError):
            rejected.append(read)
        else:
            counts.append(read)
    return counts, rejected


def name_counts(rows: Sequence[CountRow], skus: Mapping[str, int]) -> tuple[list[Count], list[RowError]]:
    """Find each row's SKU by its code. Rows that count the same goods twice are all refused: none says it all."""
    first: dict[LevelKey, int] = {}
    twice: dict[LevelKey, int] = {}
    for row in rows:
        key = (skus.get(normalise(row.code), 0), row.warehouse.warehouse_id)
        if first.setdefault(key, row.line) != row.line:
            twice.setdefault(key, row.line)
    counts: list[Count] = []
    rejected: list[RowError] = []
    for row in rows:
        sku_id = skus.get(normalise(row.code))
        key = (sku_id or 0, row.warehouse.warehouse_id)
        if sku_id is None:
            remedy = "Import the item first, or correct the code"
            rejected.append(RowError(row.line, "sku", f"no SKU is called {row.code}", remedy))
        elif key in twice:
            other = first[key] if row.line != first[key] else twice[key]
            problem = f"{row.code} in {row.warehouse.key} is counted on line {other} too"
            remedy = "Write one row for each SKU and warehouse, with all its pieces"
            rejected.append(RowError(row.line, "sku", problem, remedy))
        else:
            counts.append(Count(row.line, key, row.on_hand, row.unavailable, row.as_of))
    return counts, rejected


def _count(
    line: int,
    cells: dict[str, str],
    warehouses: Mapping[str, CountedWarehouse],
    now: datetime,
    default_as_of: datetime | None,
) -> CountRow | RowError:
    if not normalise(cells["sku"]):
        return RowError(line, "sku", "it is empty", "Give every row a SKU")
    warehouse = warehouses.get(cells["warehouse"])
    if warehouse is None:
        problem = f"no warehouse has the key {cells['warehouse']}" if cells["warehouse"] else "it is empty"
        remedy = suggest(cells["warehouse"], warehouses, f"Known are {', '.join(sorted(warehouses)) or 'none'}")
        return RowError(line, "warehouse", problem, remedy)
    if warehouse.kind == "fba":
        problem = f"{warehouse.key} is counted by Amazon"
        return RowError(line, "warehouse", problem, "Remove the row: its stock comes from Amazon's own reports")
    on_hand = whole_number(line, "on_hand", cells["on_hand"])
    unavailable = whole_number(line, "unavailable", cells.get("unavailable") or "0")
    as_of = _as_of(line, cells.get("as_of", ""), warehouse.time_zone, now, default_as_of)
    for read in (on_hand, unavailable, as_of):
        if isinstance(read, RowError):
            return read
    assert isinstance(on_hand, int)
    assert isinstance(unavailable, int)
    assert isinstance(as_of, datetime)
    if unavailable > on_hand:
        problem = f"{unavailable} are unavailable of {on_hand} on hand"
        return RowError(line, "unavailable", problem, "on_hand counts every piece, the unavailable ones too")
    return CountRow(line, cells["sku"], warehouse, on_hand, unavailable, as_of)


def _as_of(line: int, text: str, time_zone: str, now: datetime, default: datetime | None) -> datetime | RowError:
    if not text and default is None:
        return RowError(line, "as_of", "it is empty", f"Say when the goods were counted. {_EXAMPLE}")
    try:
        told = datetime.fromisoformat(text) if text else default
        assert told is not None
        if text and len(text) <= len("2025-03-31"):
            return RowError(line, "as_of", f"{text} has no time of day", _EXAMPLE)
        if told.tzinfo is None:
            told = told.replace(tzinfo=ZoneInfo(time_zone))
            if told.utcoffset() != told.replace(fold=1).utcoffset():
                problem = f"{text} comes twice or never in {time_zone}, where clocks change then"
                return RowError(line, "as_of", problem, f"Add its offset. {_EXAMPLE}")
        as_of = told.astimezone(UTC)
    except (ValueError, OverflowError):
        return RowError(line, "as_of", f"{text} is not an instant", _EXAMPLE)
    if as_of > now + AHEAD:
        return RowError(line, "as_of", f"{text or as_of} is in the future", f"Check date and offset. {_EXAMPLE}")
    if as_of < _EARLIEST:
        return RowError(line, "as_of", f"{text or as_of} is too long ago", _EXAMPLE)
    return as_of
