"""Which movements are old enough to be archived, and all that they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, FromClause, Row, Subquery, and_, func, select, tuple_

from syncd.db.statements import Given, statement
from syncd.db.tables import archived_level, level, movement, sku, warehouse
from syncd.errors import SyncdError
from syncd.stock.archive.files import ArchivedMovement
from syncd.stock.ledger import LevelKey

_LEVELS: Final = 1_000
_LOOKED_AT: Final = 4
"""Movements that one look reads for each one that it may take."""


class LedgerBroken(SyncdError):
    """Movements that must be there are not; nothing of their page was archived."""


@dataclass(frozen=True, slots=True)
class BrokenLevel:
    """A level that cannot be archived, by the names that people know, and why."""

    sku: str
    warehouse: str
    problem: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """The movements of a level after `after` up to `upto`: all of them are older than the cut."""

    key: LevelKey
    after: int
    upto: int

    def __len__(self) -> int:
        return self.upto - self.after

    def is_whole(self, movements: Sequence[ArchivedMovement]) -> bool:
        """Whether these are all of its movements, in order."""
        return [each.seq for each in movements] == list(range(self.after + 1, self.upto + 1))


@dataclass(frozen=True, slots=True)
class Found:
    """Prefixes in key order, and where to look next; `passed`: movements of which it is known whether they go.

    `broken`: levels whose archived movements are not summed up as far as they go.
    """

    prefixes: tuple[Prefix, ...]
    next: LevelKey | None
    passed: int
    broken: tuple[LevelKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The movements of prefixes, in key order, and the levels of which some are missing: nothing of those is in it."""

    prefixes: tuple[Prefix, ...]
    movements: list[ArchivedMovement]
    broken: tuple[LevelKey, ...]


def find_prefixes(connection: Connection, begin: LevelKey, cut: datetime, room: int) -> Found:
    """What is older than `cut` of some levels from `begin` on, at most `room` movements in all.

    A prefix ends before the first movement that is not older: instants do not always grow with seq.
    """
    based = archived_level.c
    rows = connection.execute(
        select(level.c.sku_id, level.c.warehouse_id, level.c.archived_seq, level.c.seq, based.seq.label("based"))
        .outerjoin(archived_level, and_(based.sku_id == level.c.sku_id, based.warehouse_id == level.c.warehouse_id))
        .where(tuple_(level.c.sku_id, level.c.warehouse_id) >= tuple_(*begin))
        .order_by(level.c.sku_id, level.c.warehouse_id)
        .limit(_LEVELS)
    ).all()
    looked: list[Row[int, int, int, int, int | None]] = []
    readable = 0
    for row in rows:
        readable += min(room, row.seq - row.archived_seq)
        if looked and readable > _LOOKED_AT * room:
            break
        looked.append(row)
    broken = tuple((row.sku_id, row.warehouse_id) for row in looked if (row.based or 0) != row.archived_seq)
    windows = [
        (*row[:3], min(row.seq, row.archived_seq + room))
        for row in looked
        if row.seq > row.archived_seq and row[:2] not in broken
    ]
    ends = {row[:2]: row.upto for row in _ends(connection, windows=windows, cut=cut)} if windows else {}

    prefixes, passed = [], 0
    for row in looked:
        key, after = (row.sku_id, row.warehouse_id), row.archived_seq
        upto = min(ends.get(key, after), after + room)
        if upto > after:
            prefixes.append(Prefix(key, after, upto))
            room -= upto - after
        if room == 0 and upto < row.seq:
            return Found(tuple(prefixes), key, passed + upto - after, tuple(each for each in broken if each < key))
        passed += row.seq - after
    more = len(looked) < len(rows) or len(rows) == _LEVELS
    last = looked[-1] if looked else None
    following = (last.sku_id, last.warehouse_id + 1) if last is not None and more else None
    return Found(tuple(prefixes), following, passed, broken)


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


def load_movements(connection: Connection, prefixes: Sequence[Prefix]) -> Loaded:
    """The movements of those of these prefixes that are whole."""
    wanted = [(*prefix.key, prefix.after, prefix.upto) for prefix in prefixes]
    found: dict[LevelKey, list[ArchivedMovement]] = {prefix.key: [] for prefix in prefixes}
    for row in _load(connection, wanted=wanted):
        each = ArchivedMovement(*row)
        found[each.key].append(each)
    whole = tuple(prefix for prefix in prefixes if prefix.is_whole(found[prefix.key]))
    kept = {prefix.key for prefix in whole}
    broken = tuple(prefix.key for prefix in prefixes if prefix.key not in kept)
    return Loaded(whole, [each for prefix in whole for each in found[prefix.key]], broken)


def name_broken(connection: Connection, key: LevelKey) -> BrokenLevel:
    """Say of a level that it cannot be archived."""
    code = connection.execute(select(sku.c.code).where(sku.c.id == key[0])).scalar_one_or_none()
    place = connection.execute(select(warehouse.c.key).where(warehouse.c.id == key[1])).scalar_one_or_none()
    of_level = and_(level.c.sku_id == key[0], level.c.warehouse_id == key[1])
    archived = connection.execute(select(level.c.archived_seq).where(of_level)).scalar_one_or_none()
    of_base = and_(archived_level.c.sku_id == key[0], archived_level.c.warehouse_id == key[1])
    based = connection.execute(select(archived_level.c.seq).where(of_base)).scalar_one_or_none()
    if archived is None:
        problem = f"it is gone, and {based or 0} movements of it are archived"
    elif (based or 0) != archived:
        problem = f"its movements are archived up to seq {archived}, and summed up to {based or 0}"
    else:
        problem = f"movements after seq {archived} are missing"
    return BrokenLevel(code or f"SKU number {key[0]}", place or f"warehouse number {key[1]}", problem)


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
        .join(movement, in_prefix(movement, wanted))
        .join(sku, sku.c.id == movement.c.sku_id)
        .join(warehouse, warehouse.c.id == movement.c.warehouse_id)
        .order_by(movement.c.sku_id, movement.c.warehouse_id, movement.c.seq)
    )


def in_prefix(moved: FromClause, prefix: Subquery) -> ColumnElement[bool]:
    """Whether a movement is after `after` and up to `upto` of that level."""
    return and_(
        moved.c.sku_id == prefix.c.sku_id,
        moved.c.warehouse_id == prefix.c.warehouse_id,
        moved.c.seq > prefix.c.after,
        moved.c.seq <= prefix.c.upto,
    )
