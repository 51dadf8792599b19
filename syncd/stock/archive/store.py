"""The archive in the database: which movements are old enough, and that they lie in a file now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    Row,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from syncd.clock import real_now
from syncd.db.lease import Lease, renew
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import archive, archive_file, archived_level, level, movement, sku, warehouse
from syncd.errors import SyncdError
from syncd.stock.archive.files import ArchivedMovement, FileEntry
from syncd.stock.ledger import LevelKey

TERM_S = 900.0
"""How long a run that shows no sign of life is waited for, on another host; on this one its process is looked at."""

_LEVELS = 1_000
_LOOKED_AT = 4
"""Movements that one look reads for each one that it may take."""


class LevelArchived(SyncdError):
    """A level's archive is not as it was read: its page is read again."""


class LedgerBroken(SyncdError):
    """Movements that must be there are not; nothing of their page was archived."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The movements of a level after `after` up to `upto`: all of them are older than the cut."""

    key: LevelKey
    after: int
    upto: int

    def __len__(self) -> int:
        return self.upto - self.after


@dataclass(frozen=True, slots=True)
class Found:
    """Prefixes in key order, and where to look next; `passed`: movements of which it is known whether they go."""

    prefixes: tuple[Prefix, ...]
    next: LevelKey | None
    passed: int


class Fold(msgspec.Struct, gc=False):
    """What movements of one level sum up to, up to `seq`."""

    seq: int
    on_hand: int = 0
    unavailable: int = 0
    reserved: int = 0
    last_at: datetime | None = None

    def add(self, each: ArchivedMovement) -> None:
        self.seq = each.seq
        self.on_hand += each.d_on_hand
        self.unavailable += each.d_unavailable
        self.reserved += each.d_reserved
        self.last_at = each.at if self.last_at is None else max(self.last_at, each.at)


def open_archive(connection: Connection, new_id: str, now: datetime) -> str:
    """The name of this database's archive, given when it has none yet."""
    found = connection.execute(select(archive.c.id)).scalar_one_or_none()
    if found is None:
        connection.execute(insert(archive).values(id=new_id, begun_at=now))
    return found or new_id


def archive_id(connection: Connection) -> str | None:
    return connection.execute(select(archive.c.id)).scalar_one_or_none()


def known_files(connection: Connection) -> tuple[FileEntry, ...]:
    """Every file of the archive, in order."""
    rows = connection.execute(select(archive_file).order_by(archive_file.c.number))
    return tuple(FileEntry(row.number, row.name, row.sha256, row.movements, row.first_at, row.last_at) for row in rows)


def count_movements(connection: Connection) -> int:
    """Movements in the ledger, as its levels count them."""
    return int(connection.execute(select(func.coalesce(func.sum(level.c.seq - level.c.archived_seq), 0))).scalar_one())


def find_prefixes(connection: Connection, begin: LevelKey, cut: datetime, room: int) -> Found:
    """What is older than `cut` of some levels from `begin` on, at most `room` movements in all.

    A prefix ends before the first movement that is not older: instants do not always grow with seq.
    """
    rows = connection.execute(
        select(level.c.sku_id, level.c.warehouse_id, level.c.archived_seq, level.c.seq)
        .where(tuple_(level.c.sku_id, level.c.warehouse_id) >= tuple_(*begin))
        .order_by(level.c.sku_id, level.c.warehouse_id)
        .limit(_LEVELS)
    ).all()
    looked: list[Row[int, int, int, int]] = []
    readable = 0
    for row in rows:
        readable += min(room, row.seq - row.archived_seq)
        if looked and readable > _LOOKED_AT * room:
            break
        looked.append(row)
    windows = [(*row[:3], min(row.seq, row.archived_seq + room)) for row in looked if row.seq > row.archived_seq]
    ends = {row[:2]: row.upto for row in _ends(connection, windows=windows, cut=cut)} if windows else {}

    prefixes, passed = [], 0
    for row in looked:
        key, after = (row.sku_id, row.warehouse_id), row.archived_seq
        upto = min(ends.get(key, after), after + room)
        if upto > after:
            prefixes.append(Prefix(key, after, upto))
            room -= upto - after
        if room == 0 and upto < row.seq:
            return Found(tuple(prefixes), key, passed + upto - after)
        passed += row.seq - after
    more = len(looked) < len(rows) or len(rows) == _LEVELS
    last = looked[-1] if looked else None
    following = (last.sku_id, last.warehouse_id + 1) if last is not None and more else None
    return Found(tuple(prefixes), following, passed)


@statement
def _ends(given: Given) -> Executable:
    windows = given.rows("windows", sku_id=int, warehouse_id=int, after=int, upto=int)
    newer = (
        select(movement.c.seq - 1)
        .where(
            movement.c.sku_id == windows.c.sku_id,
            movement.c.warehouse_id == windows.c.warehouse_id,
            movement.c.seq > windows.c.after,
            movement.c.seq <= windows.c.upto,
            movement.c.at >= given.value("cut", datetime),
        )
        .order_by(movement.c.seq)
        .limit(1)
        .scalar_subquery()
    )
    return select(windows.c.sku_id, windows.c.warehouse_id, func.coalesce(newer, windows.c.upto).label("upto"))


def load_movements(connection: Connection, prefixes: Sequence[Prefix]) -> list[ArchivedMovement]:
    """The movements of these prefixes, in key order. Raises LedgerBroken where one is missing."""
    wanted = [(*prefix.key, prefix.after, prefix.upto) for prefix in prefixes]
    found = [ArchivedMovement(*row) for row in _load(connection, wanted=wanted)]
    at = 0
    for prefix in prefixes:
        part = found[at : at + len(prefix)]
        if [(each.key, each.seq) for each in part] != [
            (prefix.key, seq) for seq in range(prefix.after + 1, prefix.upto + 1)
        ]:
            place = f"SKU {prefix.key[0]} in warehouse {prefix.key[1]}"
            problem = f"movements of {place} (numbers of the database) are missing after seq {prefix.after}"
            raise LedgerBroken(f"{problem}: run `syncd audit`. What was archived before it stays so")
        at += len(prefix)
    return found


@statement
def _load(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int, after=int, upto=int)
    return (
        select(
            movement.c.sku_id,
            movement.c.warehouse_id,
            movement.c.seq,
            sku.c.code,
            warehouse.c.key,
            *(movement.c[name] for name in ("kind", "d_on_hand", "d_unavailable", "d_reserved", "lot_id")),
            movement.c.cause_key,
            movement.c.actor,
            movement.c.at,
        )
        .select_from(wanted)
        .join(movement, _in_prefix(movement, wanted))
        .join(sku, sku.c.id == movement.c.sku_id)
        .join(warehouse, warehouse.c.id == movement.c.warehouse_id)
        .order_by(movement.c.sku_id, movement.c.warehouse_id, movement.c.seq)
    )


def record_file(
    connection: Connection,
    lease: Lease,
    file: FileEntry,
    prefixes: Sequence[Prefix],
    movements: Sequence[ArchivedMovement],
    now: datetime,
) -> Lease:
    """Take movements that lie in a durable file out of the ledger, each level's sums kept. The lease, prolonged.

    Raises Fenced when another run has begun, LevelArchived when a level's archive is not as it was read.
    """
    (lease,) = renew(connection, (lease,), real_now(), TERM_S)
    keys = [prefix.key for prefix in prefixes]
    stand = {row[:2]: row.archived_seq for row in _lock(connection, wanted=keys)}
    if stand != {prefix.key: prefix.after for prefix in prefixes}:
        raise LevelArchived("levels were archived while their movements were being written to a file")

    _insert_file(connection, file, movements, now)
    folds = {prefix.key: Fold(prefix.after) for prefix in prefixes}
    for each in movements:
        folds[each.key].add(each)
    sums = [(*key, *(getattr(fold, name) for name in Fold.__struct_fields__)) for key, fold in folds.items()]
    _add_bases(connection, sums=sums)
    _raise_levels(connection, done=[(*prefix.key, prefix.upto) for prefix in prefixes])
    gone = _delete_on_sqlite if connection.dialect.name == "sqlite" else _delete_on_postgresql
    deleted = gone(connection, done=[(*prefix.key, prefix.after, prefix.upto) for prefix in prefixes]).rowcount
    if deleted != len(movements):
        raise LedgerBroken(f"{deleted} movements would go of {len(movements)} that were written: run `syncd audit`")
    return lease


@statement
def _lock(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    return (
        select(level.c.sku_id, level.c.warehouse_id, level.c.archived_seq)
        .join(wanted, (level.c.sku_id == wanted.c.sku_id) & (level.c.warehouse_id == wanted.c.warehouse_id))
        .order_by(level.c.sku_id, level.c.warehouse_id)
        .with_for_update(of=level)
    )


def _insert_file(connection: Connection, file: FileEntry, movements: Sequence[ArchivedMovement], now: datetime) -> None:
    first, last = movements[0], movements[-1]
    columns = [("number", int), ("name", str), ("sha256", str), ("movements", int)]
    columns += [(f"{end}_{name}", int) for end in ("from", "to") for name in ("sku_id", "warehouse_id", "seq")]
    columns += [(name, datetime) for name in ("first_at", "last_at", "written_at")]
    ends = (*first.key, first.seq, *last.key, last.seq)
    row = (file.number, file.name, file.sha256, file.movements, *ends, file.first_at, file.last_at, now)
    insert_rows(connection, archive_file, columns, [row])


@statement
def _add_bases(given: Given) -> Executable:
    sums = given.rows(
        "sums",
        sku_id=int,
        warehouse_id=int,
        seq=int,
        on_hand=int,
        unavailable=int,
        reserved=int,
        last_at=datetime,
    )
    adding = given.insert(archived_level, sums)
    new, base = adding.excluded, archived_level.c
    return adding.on_conflict_do_update(
        index_elements=[base.sku_id, base.warehouse_id],
        set_={
            "seq": new.seq,
            "on_hand": base.on_hand + new.on_hand,
            "unavailable": base.unavailable + new.unavailable,
            "reserved": base.reserved + new.reserved,
            "last_at": case((base.last_at > new.last_at, base.last_at), else_=new.last_at),
        },
    )


@statement
def _raise_levels(given: Given) -> Executable:
    done = given.rows("done", sku_id=int, warehouse_id=int, upto=int)
    return (
        update(level)
        .values(archived_seq=done.c.upto)
        .where(level.c.sku_id == done.c.sku_id, level.c.warehouse_id == done.c.warehouse_id)
    )


@statement
def _delete_on_sqlite(given: Given) -> Executable:
    done = given.rows("done", sku_id=int, warehouse_id=int, after=int, upto=int)
    gone = movement.alias("gone")
    rowid: ColumnElement[int] = literal_column("gone.rowid")
    rowids = select(rowid).select_from(done).join(gone, _in_prefix(gone, done))
    return delete(movement).where(literal_column("movement.rowid").in_(rowids))


@statement
def _delete_on_postgresql(given: Given) -> Executable:
    done = given.rows("done", sku_id=int, warehouse_id=int, after=int, upto=int)
    return delete(movement).where(_in_prefix(movement, done))


def _in_prefix(moved: FromClause, prefix: Subquery) -> ColumnElement[bool]:
    return and_(
        moved.c.sku_id == prefix.c.sku_id,
        moved.c.warehouse_id == prefix.c.warehouse_id,
        moved.c.seq > prefix.c.after,
        moved.c.seq <= prefix.c.upto,
    )
