"""Which movements are old enough to be archived, and all that they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, FromClause, Row, Subquery, and_, func, select, tuple_

from syncd.db.statements import Given, statement
from syncd.db.tables import level, movement, sku, warehouse
from syncd.errors import SyncdError
from syncd.stock.archive.files import ArchivedMovement
from syncd.stock.ledger import LevelKey

_LEVELS: Final = 1_000
_LOOKED_AT: Final = 4
"""Movements that one look reads for each one that it may take."""


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
