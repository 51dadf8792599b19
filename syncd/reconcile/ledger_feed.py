"""The ledger in the order it was written, from where it was read before: nothing is left out, nothing read for ever.

SQLite has one writer, so a movement that comes later has the greater rowid. It keeps no rowid for ever, though: one may
be given again when the newest movements are archived, and a copy of the table numbers anew. So the last movement read
is known by its own key too; where another one is found in its place, the ledger is read from its beginning.

On PostgreSQL a movement carries its transaction; below the oldest one that still runs nothing is added any more. A
transaction may have more movements than are read at once: within it they are read in the order of their keys. Numbers
of transactions jump back when a backup is restored into another server: then, too, it is read from its beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from syncd.reconcile.pages import Key

MOVEMENTS: Final = 5_000
"""Movements that are read at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where the ledger was read. `row`: the key of the last movement read.

    On PostgreSQL it is None when all of the transactions below `number` were read.
    """

    number: int = 0
    row: Key | None = None


BEGINNING: Final = Place()


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement's key and its cause."""

    key: Key
    cause_key: str


@dataclass(frozen=True, slots=True)
class Fed:
    """What came next, and up to where it goes; `more`: there is more already."""

    movements: tuple[Moved, ...]
    place: Place
    more: bool


def end_of_ledger(connection: Connection) -> Place:
    """The place behind everything that is final now."""
    if connection.dialect.name != "sqlite":
        return Place(oldest_running(connection))
    newest = "SELECT rowid, sku_id, warehouse_id, seq FROM movement ORDER BY rowid DESC LIMIT 1"
    found = connection.execute(text(newest)).one_or_none()
    return BEGINNING if found is None else Place(found[0], tuple(found[1:]))


def oldest_running(connection: Connection) -> int:
    """PostgreSQL's oldest transaction that still runs: what all before it wrote is seen, or never will be."""
    snapshot = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
    return int(connection.execute(text(snapshot)).scalar_one())


def read_ledger(connection: Connection, after: Place) -> Fed:
    """At most MOVEMENTS of what was written after a place."""
    if connection.dialect.name == "sqlite":
        return _by_rowid(connection, after)
    return _by_transaction(connection, after)


def _by_rowid(connection: Connection, after: Place) -> Fed:
    there = text("SELECT sku_id, warehouse_id, seq FROM movement WHERE rowid = :number")
    found = connection.execute(there, {"number": after.number}).one_or_none()
    if found is None or tuple(found) != after.row:
        after = BEGINNING
    wanted = text(
        "SELECT rowid, sku_id, warehouse_id, seq, cause_key FROM movement"
        " WHERE rowid > :number ORDER BY rowid LIMIT :most"
    )
    rows = connection.execute(wanted, {"number": after.number, "most": MOVEMENTS}).all()
    place = Place(rows[-1][0], tuple(rows[-1][1:4])) if rows else after
    return Fed(tuple(Moved(tuple(row[1:4]), row[4]) for row in rows), place, len(rows) == MOVEMENTS)


def _by_transaction(connection: Connection, after: Place) -> Fed:
    end = oldest_running(connection)
    if end < after.number:
        after = BEGINNING
    wanted = text(
        "SELECT txid, sku_id, warehouse_id, seq, cause_key FROM movement"
        " WHERE txid >= :number AND txid < :end"
        " AND (txid > :number OR (sku_id, warehouse_id, seq) > (:sku_id, :warehouse_id, :seq))"
        " ORDER BY txid, sku_id, warehouse_id, seq LIMIT :most"
    )
    sku_id, warehouse_id, seq = after.row or (0, 0, 0)
    given = {"number": after.number, "end": end, "sku_id": sku_id, "warehouse_id": warehouse_id, "seq": seq}
    rows = connection.execute(wanted, {**given, "most": MOVEMENTS}).all()
    more = len(rows) == MOVEMENTS
    place = Place(rows[-1][0], tuple(rows[-1][1:4])) if more else Place(end)
    return Fed(tuple(Moved(tuple(row[1:4]), row[4]) for row in rows), place, more)
