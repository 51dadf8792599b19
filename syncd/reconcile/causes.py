"""Look into a violation: the last movements that concern it, and which cause they make the likeliest."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from syncd.db.trouble import is_down
from syncd.db.types import from_micros
from syncd.reconcile.checks import Check
from syncd.reconcile.pages import Row

LAST_MOVEMENTS: Final = 5
_LOOKED_AT: Final = 20_000
"""Movements of one level that are looked at for a cause."""

_MOVEMENTS: Final = (
    "SELECT warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key, actor, at FROM movement"
    " WHERE sku_id = :sku_id AND {where} LIMIT :most"
)
_OF_LEVEL: Final = _MOVEMENTS.format(where="warehouse_id = :warehouse_id ORDER BY seq DESC")
_OF_LINE: Final = _MOVEMENTS.format(where="cause_key LIKE :cause ORDER BY at DESC, seq DESC")

Moved = tuple[int, int, int]
"""(on_hand, unavailable, reserved)"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into a violation gave."""

    likely_cause: str
    movements: tuple[dict[str, Any], ...] = ()


def told(check: Check, row: Row) -> Looked:
    """What the rule itself says, without a further look."""
    return Looked(check.causes[row["cause"]])


def look_into(connection: Connection, check: Check, row: Row) -> Looked:
    """The likeliest cause of a violation, and its last movements. What cannot be read of them hides no violation."""
    try:
        with connection.begin_nested():
            return _look_into(connection, check, row)
    except Exception as err:
        if is_down(err) or _has_ended(connection):
            raise
        cause = f"{told(check, row).likely_cause} (its movements cannot be looked into: {type(err).__name__})"
        return Looked(cause)


def _has_ended(connection: Connection) -> bool:
    """Whether SQLite has ended the transaction by itself, as it does when one takes too long: no snapshot is left."""
    driver = connection.connection.driver_connection
    return isinstance(driver, sqlite3.Connection) and not driver.in_transaction


def _look_into(connection: Connection, check: Check, row: Row) -> Looked:
    cause = check.causes[row["cause"]]
    if check.rule == "level.fold" and row["cause"] != "gap":
        cause = _cause_of_fold(connection, row) or cause
    elif check.rule == "level.reserved":
        cause = _cause_of_reserved(connection, row) or cause
    return Looked(cause, read_movements(connection, row))


def read_movements(connection: Connection, row: Row, most: int = LAST_MOVEMENTS) -> tuple[dict[str, Any], ...]:
    """The last movements of a level, or of a line's SKU for the line's sake; nothing where the row names neither."""
    values = {"sku_id": row.get("sku_id"), "most": most}
    if values["sku_id"] is None:
        return ()
    if "order_line_id" in row:
        statement, values["cause"] = _OF_LINE, f"line/{row['order_line_id']}/%"
    elif "warehouse_id" in row:
        statement, values["warehouse_id"] = _OF_LEVEL, row["warehouse_id"]
    else:
        return ()
    found = connection.execute(text(statement), values).mappings()
    return tuple({**each, "at": from_micros(each["at"]).isoformat()} for each in found)


def _cause_of_fold(connection: Connection, row: Row) -> str | None:
    """A level that the orders bear out has a false ledger; one that lacks a movement has lost its update."""
    off = _less(_parts(row, "found"), _parts(row, "expected"))
    movements = read_movements(connection, row, _LOOKED_AT)
    if off[2] and row["found_reserved"] == _reserved_by_orders(connection, row):
        edited = _lines_that_differ(connection, row, movements)
        if edited:
            line, moved, held = edited[0]
            return (
                f"a movement was edited: those of order line {line} reserve {moved} in all, it has {held} reserved,"
                " and the level agrees with that"
            )
    newest: dict[Moved, dict[str, Any]] = {}
    for each in movements[:_LAST_UPDATES]:
        newest.setdefault((each["d_on_hand"], each["d_unavailable"], each["d_reserved"]), each)
    if lost := newest.get(_less((0, 0, 0), off)):
        return (
            f"the update that movement {lost['seq']} ({lost['kind']}) made to the level was lost,"
            " to a writer that had not locked it or by hand"
        )
    if twice := newest.get(off):
        return f"movement {twice['seq']} ({twice['kind']}) was added to the level twice"
    return None


_LAST_UPDATES: Final = 50


def _cause_of_reserved(connection: Connection, row: Row) -> str | None:
    """Which line's movements do not add up to what it has reserved."""
    movements = read_movements(connection, row, _LOOKED_AT)
    differing = _lines_that_differ(connection, row, movements)
    if not differing and movements and movements[-1]["seq"] == 1:
        return "the movements and the reservations agree, so the level itself is wrong: see level.fold"
    for line, moved, held in differing:
        if moved < held and row["found"] < row["expected"]:
            return (
                f"order line {line} gave back {held - moved} more than it had (restocked twice: a release or shipment"
                " was booked twice), or was given a reservation without a movement: units promised look free"
            )
        if moved > held and row["found"] > row["expected"]:
            return (
                f"the reservation of order line {line} vanished without its release ({moved} moved, {held} left):"
                " units that no order has are hidden from sale"
            )
    return None


def _lines_that_differ(
    connection: Connection, row: Row, movements: Sequence[dict[str, Any]]
) -> list[tuple[int, int, int]]:
    """(order_line_id, reserved by its movements, reserved by its reservations) where both differ.

    Judged are only lines whose every movement was looked at: those with a movement that is gone may have more.
    """
    moved: dict[int, int] = defaultdict(int)
    for each in movements:
        what, _, rest = each["cause_key"].partition("/")
        line = rest.partition("/")[0]
        if what == "line" and line.isdecimal():
            moved[int(line)] += each["d_reserved"]
    found = connection.execute(
        text(
            "SELECT order_line_id, sum(quantity) FROM reservation WHERE sku_id = :sku_id"
            " AND warehouse_id = :warehouse_id AND stage != 'shipped' AND quantity > 0"
            " GROUP BY order_line_id ORDER BY order_line_id"
        ),
        {"sku_id": row["sku_id"], "warehouse_id": row["warehouse_id"]},
    )
    held = {int(line): int(pieces) for line, pieces in found}
    whole = bool(movements) and movements[-1]["seq"] == 1
    lines = sorted(moved.keys() | held.keys()) if whole else sorted(line for line in held if line in moved)
    return [(line, moved[line], held.get(line, 0)) for line in lines if moved[line] != held.get(line, 0)]


def _reserved_by_orders(connection: Connection, row: Row) -> int:
    statement = text(
        "SELECT coalesce(sum(quantity), 0) FROM reservation WHERE sku_id = :sku_id AND warehouse_id = :warehouse_id"
        " AND stage != 'shipped' AND quantity > 0"
    )
    values = {"sku_id": row["sku_id"], "warehouse_id": row["warehouse_id"]}
    return int(connection.execute(statement, values).scalar_one())


def _parts(row: Row, which: str) -> Moved:
    return (row[f"{which}_on_hand"], row[f"{which}_unavailable"], row[f"{which}_reserved"])


def _less(left: Moved, right: Moved) -> Moved:
    return (left[0] - right[0], left[1] - right[1], left[2] - right[2])
