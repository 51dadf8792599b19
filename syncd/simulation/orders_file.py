"""The shoppers' orders from a CSV file, with every mistake in it told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from syncd.catalogue.codes import normalise
from syncd.csv_rows import CsvFile, ImportFileError, RowError
from syncd.errors import SyncdError
from syncd.simulation.order_row import Row, read_row
from syncd.simulation.wanted import WantedOrder

REQUIRED: Final = ("placed_at", "channel", "order", "sku", "quantity")
OPTIONAL: Final = ("country", "postcode", "city", "unpaid", "cancelled_at")
_SHOWN: Final = 30


class OrdersRefused(SyncdError):
    """Rows of an orders file are wrong; nothing of it is used. The message tells each with its remedy."""

    def __init__(self, path: Path, errors: Sequence[RowError]) -> None:
        rest = f"\n  and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        count = "1 row is" if len({each.line for each in errors}) == 1 else f"{len(errors)} things are"
        super().__init__(f"{path}: {count} wrong\n  " + "\n  ".join(map(str, errors[:_SHOWN])) + rest)
        self.path = path
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class OrdersFile:
    """What a file says. `days` is how long it takes until nothing of it is left to do."""

    orders: tuple[WantedOrder, ...]

    @property
    def days(self) -> float:
        return max(max(each.after_s, each.cancelled_after_s or 0.0) for each in self.orders) / 86_400.0


def read_orders(path: Path, vendors: Mapping[str, str], home: str) -> OrdersFile:
    """Read a file of orders for accounts, given with their vendors. `home`: the country of who names none.

    Raises ImportFileError for a file that cannot be read at all, OrdersRefused with every row that is wrong.
    """
    file = CsvFile(path, REQUIRED, OPTIONAL)
    if file.ignored:
        remedy = f"Remove it, or rename it to one of {', '.join((*REQUIRED, *OPTIONAL))}"
        raise ImportFileError(path, f"column {', '.join(file.ignored)} is not known", remedy)
    errors: list[RowError] = []
    rows: list[Row] = []
    for found in file:
        row = found if isinstance(found, RowError) else read_row(*found, vendors, home)
        if isinstance(row, Row):
            rows.append(row)
        else:
            errors += [row] if isinstance(row, RowError) else row
    errors += _twins(rows)
    errors += _disagreeing(rows)
    if errors:
        raise OrdersRefused(path, sorted(errors, key=lambda each: each.line))
    if not rows:
        raise ImportFileError(path, "it has no orders", "Give it at least one row below the header")
    return OrdersFile(_orders(rows))


def _twins(rows: Sequence[Row]) -> list[RowError]:
    """SKUs that differ in what people do not see: the book would take them for one."""
    first: dict[str, str] = {}
    errors = []
    for row in rows:
        known = first.setdefault(normalise(row.sku), row.sku)
        if known != row.sku:
            problem = f"{row.sku!r} and {known!r} count as the same SKU"
            errors.append(RowError(row.line, "sku", problem, "Write it in one way, or rename one of them"))
    return errors


def _disagreeing(rows: Sequence[Row]) -> list[RowError]:
    """Lines of one order that say different things about it."""
    first: dict[tuple[str, str], Row] = {}
    errors = []
    for row in rows:
        known = first.setdefault((row.channel, row.order), row)
        for column in ("placed_at", "country", "postcode", "city", "unpaid", "cancelled_at"):
            if getattr(row, column) != getattr(known, column):
                problem = f"it differs from line {known.line} of the same order"
                errors.append(RowError(row.line, column, problem, "Say the same in every line of an order"))
    return errors


def _orders(rows: Sequence[Row]) -> tuple[WantedOrder, ...]:
    """The orders in time; a SKU that an order has in several lines is bought all at once."""
    began = min(row.placed_at for row in rows)
    lines: dict[tuple[str, str], dict[str, int]] = {}
    heads: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row.channel, row.order
        heads.setdefault(key, row)
        known = lines.setdefault(key, {})
        known[row.sku] = known.get(row.sku, 0) + row.quantity
    wanted = [_order(heads[key], tuple(lines[key].items()), began) for key in heads]
    return tuple(sorted(wanted, key=lambda order: order.after_s))


def _order(head: Row, lines: tuple[tuple[str, int], ...], began: datetime) -> WantedOrder:
    ends_s = None if head.cancelled_at is None else (head.cancelled_at - began).total_seconds()
    return WantedOrder(
        (head.placed_at - began).total_seconds(),
        head.channel,
        head.order,
        lines,
        head.country,
        head.postcode,
        head.city,
        head.unpaid,
        ends_s,
    )
