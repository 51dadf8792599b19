"""Where orders and levels are locked, always in key order, so that two transactions cannot wait for each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Row, select

from syncd.db.statements import Given, statement
from syncd.db.tables import level, sales_order


def lock_levels(connection: Connection, keys: Collection[tuple[int, int]]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The levels of these (sku_id, warehouse_id), locked until the transaction ends, in key order.

    Rows of (sku_id, warehouse_id, on_hand, unavailable, reserved, short, seq, as_of). A SKU is looked up once for all
    its warehouses: where not each is wanted of each, a level that is not may be locked with the others.
    """
    if not keys:
        return []
    skus, places = {sku_id for sku_id, _ in keys}, {warehouse_id for _, warehouse_id in keys}
    found = _lock_levels(
        connection, wanted=[(each,) for each in sorted(skus)], places=[(each,) for each in sorted(places)]
    ).all()
    if len(keys) == len(skus) * len(places):
        return found
    wanted = frozenset(keys)
    return [row for row in found if (row.sku_id, row.warehouse_id) in wanted]


@statement
def _lock_levels(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    places = given.rows("places", id=int)
    return (
        select(
            level.c.sku_id,
            level.c.warehouse_id,
            level.c.on_hand,
            level.c.unavailable,
            level.c.reserved,
            level.c.short,
            level.c.seq,
            level.c.as_of,
        )
        .join(wanted, level.c.sku_id == wanted.c.sku_id)
        .where(level.c.warehouse_id.in_(select(places.c.id)))
        .order_by(level.c.sku_id, level.c.warehouse_id)
        .with_for_update(of=level)
    )


def lock_orders(connection: Connection, keys: Collection[tuple[int, str]]) -> list[Row[tuple[int, ...]]]:
    """The orders of these (account_id, channel_order_id), locked until the transaction ends, in key order."""
    return list(_lock_orders(connection, wanted=sorted(keys))) if keys else []


@statement
def _lock_orders(given: Given) -> Executable:
    wanted = given.rows("wanted", account_id=int, channel_order_id=str)
    return (
        select(sales_order)
        .join(
            wanted,
            (sales_order.c.account_id == wanted.c.account_id)
            & (sales_order.c.channel_order_id == wanted.c.channel_order_id),
        )
        .order_by(sales_order.c.account_id, sales_order.c.channel_order_id)
        .with_for_update(of=sales_order)
    )
