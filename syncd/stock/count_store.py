"""Book counts in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Executable, and_, func, select

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import archived_level, level, movement, warehouse
from syncd.publishing.marks import mark_dirty
from syncd.stock.counts import Booked, Count, CountedWarehouse, book
from syncd.stock.ledger import Cause, Ledger, Level, LevelKey, MovementKind
from syncd.stock.shorts import tell_shorts
from syncd.stock.store import load_levels, record_ledger

SOURCE = "count"

_FINDINGS = (MovementKind.COUNT.value, MovementKind.SNAPSHOT.value)
"""Movements that moved no goods: they only wrote down what stood there at an instant before them."""


def book_counts(connection: Connection, counts: Sequence[Count], now: datetime) -> Booked:
    """Book what counts found, exactly once per SKU, warehouse, instant and finding, in one transaction."""
    keys = {count.key for count in counts}
    ledger = Ledger(_lock_levels(connection, keys), SOURCE, now)
    counts, too_old = _split_archived(connection, counts)
    moved = goods_moved(connection, counts)
    repeated = {count.key for count in counts if count.as_of == ledger.level(*count.key).as_of}

    booked = book(counts, moved, _newest(connection, repeated), ledger)

    record_ledger(connection, ledger, _cause_key, SOURCE)
    tell_shorts(connection, ledger.changed(), now)
    mark_dirty(connection, {each.sku_id: None for each in ledger.movements}, now)
    return replace(booked, older=booked.older + too_old)


def load_warehouses(connection: Connection) -> dict[str, CountedWarehouse]:
    """Every warehouse, by key."""
    found = connection.execute(select(warehouse))
    return {row.key: CountedWarehouse(row.id, row.key, row.kind, row.time_zone) for row in found}


def goods_moved(connection: Connection, counts: Sequence[Count]) -> dict[LevelKey, tuple[int, int]]:
    """(on_hand, unavailable) that goods moving after each count have added, by level.

    Findings of earlier counts are left out, whenever they were booked: this count stands in their place.
    """
    found = _moved_since(connection, counted=[(*count.key, count.as_of) for count in counts])
    return {(row.sku_id, row.warehouse_id): (int(row.on_hand), int(row.unavailable)) for row in found}


def _split_archived(
    connection: Connection, counts: Sequence[Count]
) -> tuple[list[Count], tuple[tuple[Count, datetime], ...]]:
    """Counts whose every later movement is in the ledger; those that it lacks some of, with when the last of these was.

    Asked under the levels' lock, which an archive run takes too.
    """
    found = _archived(connection, wanted=sorted({count.key for count in counts})) if counts else ()
    upto = {(row.sku_id, row.warehouse_id): row.last_at for row in found}
    known = [count for count in counts if count.key not in upto or count.as_of >= upto[count.key]]
    too_old = [count for count in counts if count.key in upto and count.as_of < upto[count.key]]
    return known, tuple((count, upto[count.key]) for count in too_old)


@statement
def _archived(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    return select(archived_level.c.sku_id, archived_level.c.warehouse_id, archived_level.c.last_at).join(
        wanted,
        and_(
            archived_level.c.sku_id == wanted.c.sku_id,
            archived_level.c.warehouse_id == wanted.c.warehouse_id,
        ),
    )


@statement
def _moved_since(given: Given) -> Executable:
    counted = given.rows("counted", sku_id=int, warehouse_id=int, at=datetime)
    return (
        select(
            movement.c.sku_id,
            movement.c.warehouse_id,
            func.sum(movement.c.d_on_hand).label("on_hand"),
            func.sum(movement.c.d_unavailable).label("unavailable"),
        )
        .join(
            counted,
            and_(
                movement.c.sku_id == counted.c.sku_id,
                movement.c.warehouse_id == counted.c.warehouse_id,
                movement.c.at > counted.c.at,
                movement.c.kind.not_in(_FINDINGS),
            ),
        )
        .group_by(movement.c.sku_id, movement.c.warehouse_id)
    )


def _lock_levels(connection: Connection, keys: Collection[LevelKey]) -> dict[LevelKey, Level]:
    """These levels, locked until the transaction ends; new ones begin empty."""
    levels = load_levels(connection, keys)
    missing = sorted(set(keys) - levels.keys())
    if not missing:
        return levels
    insert_rows(connection, level, [("sku_id", int), ("warehouse_id", int)], missing, ignore=True)
    return load_levels(connection, keys)


def _newest(connection: Connection, keys: Collection[LevelKey]) -> dict[LevelKey, str]:
    """The name of the newest count of each level."""
    found = _newest_of(connection, wanted=sorted(keys)) if keys else ()
    return {(row.sku_id, row.warehouse_id): _name_of(row.cause_key) for row in found}


@statement
def _newest_of(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    newest = (
        select(movement.c.sku_id, movement.c.warehouse_id, func.max(movement.c.seq).label("seq"))
        .join(wanted, and_(movement.c.sku_id == wanted.c.sku_id, movement.c.warehouse_id == wanted.c.warehouse_id))
        .where(movement.c.kind == MovementKind.COUNT.value)
        .group_by(movement.c.sku_id, movement.c.warehouse_id)
        .subquery("newest")
    )
    return select(movement.c.sku_id, movement.c.warehouse_id, movement.c.cause_key).join(
        newest,
        and_(
            movement.c.sku_id == newest.c.sku_id,
            movement.c.warehouse_id == newest.c.warehouse_id,
            movement.c.seq == newest.c.seq,
        ),
    )


def _cause_key(cause: Cause) -> str:
    return str(cause.subject)


def _name_of(cause_key: str) -> str:
    """The name of the count behind a movement: its cause key without what the ledger adds to make it unique."""
    return cause_key.rsplit("/", 4)[0]
