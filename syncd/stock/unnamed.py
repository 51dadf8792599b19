"""SKUs that a warehouse has named before and names no more: their level there is unknown, and nobody says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, and_, case, null, or_, select, update

from syncd.db.statements import Given, statement
from syncd.db.tables import level, pool, sku, warehouse_item
from syncd.publishing.marks import mark_dirty

UNKNOWN_AFTER: Final = timedelta(minutes=30)


def note_named(
    connection: Connection, warehouse_id: int, named: Collection[int], as_of: datetime, now: datetime
) -> None:
    """Note of which SKUs a complete snapshot gave a level that can be believed, and of which none.

    Listings of those that are named again may be raised again: they are looked at.
    """
    told = [(sku_id,) for sku_id in sorted(named)]
    changed = _note_named(connection, warehouse_id=warehouse_id, named=told, as_of=as_of)
    mark_dirty(connection, {row.sku_id: None for row in changed if row.unnamed_since_at is None}, now)


@statement
def _note_named(given: Given) -> Executable:
    named = given.rows("named", sku_id=int)
    is_named = warehouse_item.c.sku_id.in_(select(named.c.sku_id))
    was_unnamed = warehouse_item.c.unnamed_since_at.is_not(None)
    known_before = and_(warehouse_item.c.warehouse_sku.is_not(None), ~was_unnamed)
    return (
        update(warehouse_item)
        .values(unnamed_since_at=case((is_named, null()), else_=given.value("as_of", datetime)))
        .where(
            warehouse_item.c.warehouse_id == given.value("warehouse_id", int),
            or_(and_(is_named, was_unnamed), and_(~is_named, known_before)),
        )
        .returning(warehouse_item.c.sku_id, warehouse_item.c.unnamed_since_at)
    )


def unnamed_codes(connection: Connection, warehouse_id: int, before: datetime) -> list[str]:
    """Codes of the SKUs that a warehouse has named no more since `before` or longer, and that our book has there."""
    return list(_unnamed_codes(connection, warehouse_id=warehouse_id, before=before).scalars())


@statement
def _unnamed_codes(given: Given) -> Executable:
    return (
        select(sku.c.code)
        .join(warehouse_item, warehouse_item.c.sku_id == sku.c.id)
        .join(level, and_(level.c.sku_id == sku.c.id, level.c.warehouse_id == warehouse_item.c.warehouse_id))
        .where(warehouse_item.c.warehouse_id == given.value("warehouse_id", int), _is_unnamed(given))
        .order_by(sku.c.code)
    )


def unnamed_skus(connection: Connection, account_id: int, before: datetime) -> Mapping[int, frozenset[int]]:
    """Warehouses of an account's pool whose level of a SKU is unknown in this way, by sku_id."""
    unknown: dict[int, frozenset[int]] = {}
    for sku_id, warehouse_id in _unnamed_skus(connection, account_id=account_id, before=before):
        unknown[sku_id] = unknown.get(sku_id, frozenset()) | {warehouse_id}
    return unknown


@statement
def _unnamed_skus(given: Given) -> Executable:
    account_id = given.value("account_id", int)
    return (
        select(warehouse_item.c.sku_id, warehouse_item.c.warehouse_id)
        .join(pool, and_(pool.c.warehouse_id == warehouse_item.c.warehouse_id, pool.c.account_id == account_id))
        .join(
            level,
            and_(level.c.sku_id == warehouse_item.c.sku_id, level.c.warehouse_id == warehouse_item.c.warehouse_id),
        )
        .where(_is_unnamed(given))
    )


def _is_unnamed(given: Given) -> ColumnElement[bool]:
    # Where our book has nothing, what is there can only be more.
    return and_(warehouse_item.c.unnamed_since_at <= given.value("before", datetime), level.c.on_hand != 0)
