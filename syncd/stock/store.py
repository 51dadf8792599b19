"""Levels and movements in the database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from syncd.db.locks import lock_levels
from syncd.db.rows import insert_rows, rows
from syncd.db.tables import level, movement
from syncd.errors import SyncdError
from syncd.stock.ledger import Cause, Ledger, Level, LevelKey

_LEVEL_COLUMNS = [
    ("sku_id", int),
    ("warehouse_id", int),
    ("on_hand", int),
    ("unavailable", int),
    ("reserved", int),
    ("short", int),
    ("seq", int),
    ("seq_before", int),
    ("truth", int),
    ("as_of", datetime),
]


class LevelMoved(SyncdError):
    """A level was not as it had been loaded: the transaction is rolled back and nothing has happened."""


def load_levels(connection: Connection, keys: Collection[LevelKey]) -> dict[LevelKey, Level]:
    """These levels, locked until the transaction ends. Keys without a level are absent."""
    return {
        (found.sku_id, found.warehouse_id): Level(
            found.on_hand, found.unavailable, found.reserved, found.short, found.seq, found.as_of
        )
        for found in lock_levels(connection, keys)
    }


def record_ledger(
    connection: Connection, ledger: Ledger, cause_key: Callable[[Cause], str], source: str | None = None
) -> None:
    """Write every movement and the levels they lead to, each level only where it stands as it was loaded.

    Raises LevelMoved when one does not; the database's own CHECK refuses a reservation that nothing covers.
    """
    changes = [
        (*key, new.on_hand, new.unavailable, new.reserved, new.short, new.seq, old.seq, int(truth), new.as_of)
        for key, old, new, truth in ledger.changed()
    ]
    if not changes:
        return
    fresh = [change for change in changes if change[7] == 0]
    if fresh:
        insert_rows(
            connection,
            level,
            [("sku_id", int), ("warehouse_id", int)],
            [change[:2] for change in fresh],
            ignore=True,
        )
    new = rows(connection, "new_levels", _LEVEL_COLUMNS, changes)
    values = {name: new.c[name] for name in ("on_hand", "unavailable", "reserved", "short", "seq", "as_of")}
    if source is not None:
        values["source"] = source  # type: ignore[assignment]  # a literal beside columns
    written = connection.execute(
        update(level)
        .values(values)
        .where(
            level.c.sku_id == new.c.sku_id,
            level.c.warehouse_id == new.c.warehouse_id,
            level.c.seq == new.c.seq_before,
            or_(new.c.truth == 1, new.c.short <= level.c.short),
            or_(
                new.c.truth == 1,
                new.c.reserved <= level.c.reserved,
                level.c.on_hand - level.c.unavailable - level.c.reserved >= new.c.reserved - level.c.reserved,
            ),
        )
    ).rowcount
    if written != len(changes):
        raise LevelMoved(f"{len(changes) - written} of {len(changes)} levels moved while they were being written")
    insert_rows(
        connection,
        movement,
        [
            ("sku_id", int),
            ("warehouse_id", int),
            ("seq", int),
            ("kind", str),
            ("d_on_hand", int),
            ("d_unavailable", int),
            ("d_reserved", int),
            ("cause_key", str),
            ("actor", str),
            ("at", datetime),
        ],
        [
            (
                m.sku_id,
                m.warehouse_id,
                m.seq,
                m.kind.value,
                m.d_on_hand,
                m.d_unavailable,
                m.d_reserved,
                f"{cause_key(m.cause)}/{m.kind}/{m.sku_id}/{m.warehouse_id}/{m.cause.application}",
                m.actor,
                m.at,
            )
            for m in ledger.movements
        ],
    )


def moved_since(
    connection: Connection, since: Collection[tuple[int, int, datetime]]
) -> dict[LevelKey, tuple[int, int]]:
    """(on_hand, unavailable) that movements after each instant have added, per (sku_id, warehouse_id)."""
    wanted = rows(connection, "since", [("sku_id", int), ("warehouse_id", int), ("at", datetime)], since)
    found = connection.execute(
        select(
            movement.c.sku_id,
            movement.c.warehouse_id,
            func.sum(movement.c.d_on_hand),
            func.sum(movement.c.d_unavailable),
        )
        .join(
            wanted,
            and_(
                movement.c.sku_id == wanted.c.sku_id,
                movement.c.warehouse_id == wanted.c.warehouse_id,
                movement.c.at > wanted.c.at,
            ),
        )
        .group_by(movement.c.sku_id, movement.c.warehouse_id)
    )
    return {(sku_id, warehouse_id): (int(on_hand), int(off)) for sku_id, warehouse_id, on_hand, off in found}
