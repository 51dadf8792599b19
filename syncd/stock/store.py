"""Levels and movements in the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Executable, func, or_, update

from syncd.alerts.outbox import STOCK_CHANGED, is_wanted, note_events
from syncd.db.database import StaleLoad
from syncd.db.locks import lock_levels
from syncd.db.pipeline import expect
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import level, movement
from syncd.stock.ledger import Cause, Ledger, Level, LevelKey, Movement
from syncd.stock.replenished import note_replenished


class LevelMoved(StaleLoad):
    """A level was not as it had been loaded: the transaction is rolled back and nothing has happened."""


def load_levels(connection: Connection, keys: Collection[LevelKey]) -> dict[LevelKey, Level]:
    """These levels, locked until the transaction ends. Keys without a level are absent."""
    return {
        (sku_id, warehouse_id): Level(on_hand, unavailable, reserved, short, seq, as_of)
        for sku_id, warehouse_id, on_hand, unavailable, reserved, short, seq, as_of in lock_levels(connection, keys)
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
    written = _write_levels(connection, new=changes, source=source)
    expect(written, len(changes), partial(_moved, len(changes)))
    _record_movements(connection, ledger.movements, cause_key)
    # By movement: what came free within a batch and went to a later order may still be what an earlier one lacked.
    freed = {each.sku_id for each in ledger.movements if each.d_on_hand - each.d_unavailable - each.d_reserved > 0}
    note_replenished(connection, freed)
    if ledger.movements and is_wanted(connection, STOCK_CHANGED):
        at = ledger.movements[-1].at
        note_events(connection, STOCK_CHANGED, [_event(*change[:7]) for change in changes], at)


def _moved(wanted: int, written: int) -> LevelMoved:
    return LevelMoved(f"{wanted - written} of {wanted} levels moved while they were being written")


def _event(
    sku_id: int, warehouse_id: int, on_hand: int, unavailable: int, reserved: int, short: int, seq: int
) -> dict[str, int]:
    """What webhooks hear of a level; `seq` grows with each of its movements."""
    return {
        "sku_id": sku_id,
        "warehouse_id": warehouse_id,
        "seq": seq,
        "on_hand": on_hand,
        "unavailable": unavailable,
        "reserved": reserved,
        "short": short,
        "available": on_hand - unavailable - reserved,
    }


@statement
def _write_levels(given: Given) -> Executable:
    new = given.rows(
        "new",
        sku_id=int,
        warehouse_id=int,
        on_hand=int,
        unavailable=int,
        reserved=int,
        short=int,
        seq=int,
        seq_before=int,
        truth=int,
        as_of=datetime,
    )
    return (
        update(level)
        .values(
            **{name: new.c[name] for name in ("on_hand", "unavailable", "reserved", "short", "seq", "as_of")},
            source=func.coalesce(given.value("source", str), level.c.source),
        )
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
    )


def _record_movements(connection: Connection, movements: Sequence[Movement], cause_key: Callable[[Cause], str]) -> None:
    columns = [
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
    ]
    data = []
    seen: dict[str, int] = {}
    for m in movements:
        key = f"{cause_key(m.cause)}/{m.kind}/{m.sku_id}/{m.warehouse_id}/{m.cause.application}"
        times = seen[key] = seen.get(key, 0) + 1
        if times > 1:  # one application may release twice: a surplus, and what a count knows has left
            key = f"{key}.{times}"
        deltas = (m.d_on_hand, m.d_unavailable, m.d_reserved)
        data.append((m.sku_id, m.warehouse_id, m.seq, m.kind, *deltas, key, m.actor, m.at))
    insert_rows(connection, movement, columns, data)
