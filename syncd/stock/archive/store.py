"""The archive in the database: its files, and that movements lie in one of them now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, case, delete, func, insert, literal_column, select, update

from syncd.clock import real_now
from syncd.db.lease import Lease, renew
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import archive, archive_file, archived_level, level, movement
from syncd.errors import SyncdError
from syncd.stock.archive.files import ArchivedMovement, FileEntry
from syncd.stock.archive.prefixes import LedgerBroken, Prefix, in_prefix

TERM_S = 900.0
"""How long a run that shows no sign of life is waited for, on another host; on this one its process is looked at."""


class LevelArchived(SyncdError):
    """A level's archive is not as it was read: its page is read again."""


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
    rowids = select(rowid).select_from(done).join(gone, in_prefix(gone, done))
    return delete(movement).where(literal_column("movement.rowid").in_(rowids))


@statement
def _delete_on_postgresql(given: Given) -> Executable:
    done = given.rows("done", sku_id=int, warehouse_id=int, after=int, upto=int)
    return delete(movement).where(in_prefix(movement, done))
