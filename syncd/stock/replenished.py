"""SKUs of which more has become free since their open shortages were last looked at.

Only these can cover a shortage: whoever covers need not look at everything that nothing can cover yet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Executable, and_, delete, exists, literal_column, select

from syncd.db.statements import Given, statement
from syncd.db.tables import level, replenished, shortage

Mark = tuple[int, int]
"""(sku_id, version): one that was set again since has a greater version."""


def note_replenished(connection: Connection, sku_ids: Collection[int]) -> None:
    """Mark those of these SKUs that an open shortage waits for."""
    if sku_ids:
        _note(connection, risen=[(sku_id,) for sku_id in sorted(sku_ids)])


def replenished_skus(connection: Connection, limit: int) -> tuple[Mark, ...]:
    return tuple((row.sku_id, row.version) for row in _first(connection, limit=limit))


def forget_replenished(connection: Connection, marks: Sequence[Mark]) -> None:
    """Take these marks away, but for those that were set again since."""
    if marks:
        _forget(connection, marks=list(marks))


def note_all_free(connection: Connection, after: int, limit: int) -> int | None:
    """Mark the SKUs, of the next so many with an open shortage, that have a free piece anywhere.

    For what changes without a piece moving, like a pool. Returns the last SKU looked at; None: there is no more.
    """
    looked_at = _short(connection, after=after, limit=limit).all()
    note_replenished(connection, [row.sku_id for row in looked_at if row.is_free])
    return looked_at[-1].sku_id if len(looked_at) == limit else None


@statement
def _note(given: Given) -> Executable:
    risen = given.rows("risen", sku_id=int)
    waited_for = exists().where(shortage.c.sku_id == risen.c.sku_id, shortage.c.closed_at.is_(None))
    marks = select(risen.c.sku_id, literal_column("1").label("version")).where(waited_for).order_by(risen.c.sku_id)
    new = given.insert(replenished, marks)
    return new.on_conflict_do_update(index_elements=["sku_id"], set_={"version": replenished.c.version + 1})


@statement
def _first(given: Given) -> Executable:
    return select(replenished).order_by(replenished.c.sku_id).limit(given.value("limit", int))


@statement
def _forget(given: Given) -> Executable:
    marks = given.rows("marks", sku_id=int, version=int)
    same = and_(marks.c.sku_id == replenished.c.sku_id, marks.c.version == replenished.c.version)
    locked = select(replenished.c.sku_id).join(marks, same).order_by(replenished.c.sku_id)
    return delete(replenished).where(replenished.c.sku_id.in_(locked.with_for_update(of=replenished)))


@statement
def _short(given: Given) -> Executable:
    short = (
        select(shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None), shortage.c.sku_id > given.value("after", int))
        .distinct()
        .order_by(shortage.c.sku_id)
        .limit(given.value("limit", int))
        .subquery("short")
    )
    free = level.c.on_hand - level.c.unavailable - level.c.reserved > 0
    is_free = exists().where(level.c.sku_id == short.c.sku_id, free)
    return select(short.c.sku_id, is_free.label("is_free")).order_by(short.c.sku_id)
