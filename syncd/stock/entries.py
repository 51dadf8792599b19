"""What people enter of goods: they came, came back, were moved, broke or got lost. Each entry is booked once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, select

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import level, stock_entry
from syncd.errors import SyncdError
from syncd.publishing.marks import mark_dirty
from syncd.stock.ledger import Cause, Ledger, Level, LevelKey, MovementKind
from syncd.stock.shorts import tell_shorts
from syncd.stock.store import load_levels, record_ledger


class EntryKind(StrEnum):
    RECEIPT = "receipt"
    RETURN = "return"
    ADJUSTMENT = "adjustment"
    DAMAGE = "damage"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person says of pieces of a SKU; less than 0 only where they left, or are usable again.

    A damaged piece stands there and cannot be sold. `is_done`: the goods have moved already, whatever is promised.
    """

    key: str
    kind: EntryKind
    sku_id: int
    warehouse_id: int
    pieces: int
    reason: str
    actor: str
    to_warehouse_id: int | None = None
    damaged: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Entered:
    """The levels of an entry's warehouses now; `repeated`: it was booked before, and is not again."""

    levels: dict[int, Level]
    repeated: bool


class EntryRefused(SyncdError):
    """What was entered cannot be so; nothing was booked."""


_MOST: Final = 1_000_000_000
_TRUTHS: Final = (EntryKind.ADJUSTMENT, EntryKind.DAMAGE)
"""What is true whatever is promised: it was lost, found or broken."""


def book_entry(connection: Connection, entry: Entry, now: datetime) -> Entered:
    """Book what a person entered, exactly once per key, in one transaction. Raises EntryRefused.

    What was lost or broke is never refused for what is promised: the difference is `short`.
    """
    _check(entry)
    number = _insert(connection, entered=[_row(entry, now)]).scalar_one_or_none()
    keys = [(entry.sku_id, place) for place in (entry.warehouse_id, entry.to_warehouse_id) if place is not None]
    if number is None:
        _same_as_before(connection, entry)
        return Entered(_of_places(load_levels(connection, keys)), repeated=True)
    insert_rows(connection, level, [("sku_id", int), ("warehouse_id", int)], sorted(keys), ignore=True)
    ledger = Ledger(load_levels(connection, keys), entry.actor, now)

    _book(entry, keys, ledger, Cause(number, 1))
    _must_be_countable(ledger, keys)

    record_ledger(connection, ledger, lambda cause: f"entry/{cause.subject}")
    tell_shorts(connection, ledger.changed(), now)
    mark_dirty(connection, {entry.sku_id: None}, now)
    return Entered(_of_places({key: ledger.level(*key) for key in keys}), repeated=False)


def _book(entry: Entry, keys: list[LevelKey], ledger: Ledger, cause: Cause) -> None:
    """The movements of an entry. Pure."""
    here, *there = keys
    pieces, broken = entry.pieces, entry.pieces if entry.damaged else 0
    truth = entry.is_done or entry.kind in _TRUTHS
    if entry.kind is EntryKind.TRANSFER:
        _must_be_there(ledger.level(*here), -pieces, -broken)
        free = ledger.level(*here).available
        if not (entry.is_done or entry.damaged) and free < pieces:
            problem = f"only {max(0, free)} are free, {ledger.level(*here).reserved} are promised to orders"
            raise EntryRefused(f"{problem}: transfer fewer, or say that they have been moved already (--moved)")
        ledger.book(here, MovementKind.TRANSFER_OUT, cause, -pieces, -broken, truth=truth)
        ledger.book(there[0], MovementKind.TRANSFER_IN, cause, pieces, broken)
        return
    on_hand, unavailable = (0, pieces) if entry.kind is EntryKind.DAMAGE else (pieces, broken)
    if on_hand < 0 or entry.kind is EntryKind.DAMAGE:
        _must_be_there(ledger.level(*here), on_hand, unavailable)
    ledger.book(here, MovementKind(entry.kind.value), cause, on_hand, unavailable, truth=truth)


def _must_be_there(level: Level, d_on_hand: int, d_unavailable: int) -> None:
    """What is said to have left or broken must have stood there: more is a slip of the pen."""
    if not 0 <= level.unavailable + d_unavailable <= level.on_hand + d_on_hand:
        stands = f"{level.on_hand} pieces are on hand, {level.unavailable} of them damaged"
        raise EntryRefused(f"{stands}: correct the number, or count what is there (`syncd import stock`)")


def _must_be_countable(ledger: Ledger, keys: list[LevelKey]) -> None:
    """The database holds numbers up to some two milliards."""
    most = max(ledger.level(*key).on_hand for key in keys)
    if most > 2 * _MOST:
        raise EntryRefused(f"pieces: there would be {most} on hand, and a warehouse holds {2 * _MOST}: correct it")


def _check(entry: Entry) -> None:
    signed = entry.kind in _TRUTHS
    if entry.pieces == 0 or not (-_MOST if signed else 1) <= entry.pieces <= _MOST:
        least = f"one from {-_MOST} to {_MOST}, and not 0" if signed else f"one from 1 to {_MOST}"
        left = ". What left or got lost is for `syncd adjust`" if entry.pieces < 0 and not signed else ""
        raise EntryRefused(f"pieces: {entry.pieces} is no number of pieces for a {entry.kind}: say {least}{left}")
    if entry.kind is EntryKind.TRANSFER and entry.to_warehouse_id in (None, entry.warehouse_id):
        raise EntryRefused("to: goods are transferred from one warehouse to another: name two")
    if entry.kind is not EntryKind.TRANSFER and entry.to_warehouse_id is not None:
        raise EntryRefused("to: only a transfer goes to another warehouse")
    for name, said in (("key", entry.key), ("reason", entry.reason), ("actor", entry.actor)):
        if not said.strip():
            raise EntryRefused(f"{name}: it is empty: say it, for whoever reads the book later")


def _of_places(levels: dict[LevelKey, Level]) -> dict[int, Level]:
    return {warehouse_id: each for (_, warehouse_id), each in levels.items()}


def _row(entry: Entry, now: datetime) -> tuple[Any, ...]:
    places = (entry.warehouse_id, entry.to_warehouse_id)
    said = (entry.pieces, int(entry.damaged), entry.reason, entry.actor)
    return (entry.key, entry.kind.value, entry.sku_id, *places, *said, now)


@statement
def _insert(given: Given) -> Executable:
    new = given.insert(
        stock_entry,
        given.rows(
            "entered",
            key=str,
            kind=str,
            sku_id=int,
            warehouse_id=int,
            to_warehouse_id=int,
            pieces=int,
            damaged=int,
            reason=str,
            actor=str,
            at=datetime,
        ),
    )
    return new.on_conflict_do_nothing(index_elements=["key"]).returning(stock_entry.c.id)


def _same_as_before(connection: Connection, entry: Entry) -> None:
    before = _entered(connection, key=entry.key).one()
    places = (entry.warehouse_id, entry.to_warehouse_id)
    if _meaning(before) != (entry.kind, entry.sku_id, *places, entry.pieces, entry.damaged):
        what = f"{before.kind} of {before.pieces}{' damaged' if before.damaged else ''}"
        raise EntryRefused(f"key: {entry.key} is of another entry ({what}): choose a new one")


def _meaning(row: Row[Any]) -> tuple[Any, ...]:
    places = (row.warehouse_id, row.to_warehouse_id)
    return (row.kind, row.sku_id, *places, row.pieces, bool(row.damaged))


@statement
def _entered(given: Given) -> Executable:
    return select(stock_entry).where(stock_entry.c.key == given.value("key", str))
