"""An account sells what stands in any warehouse, also in those that it may not send from.

In real life: stock is summed by SKU. Units are sold in a shop whose warehouse never had them, and cannot be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from unittest import mock

from sqlalchemy import Connection, select

from syncd.db.tables import level, warehouse


def _all_that_is_available(
    connection: Connection, skus: Sequence[int], accounts: Sequence[int]
) -> dict[tuple[int, int], dict[int, int]]:
    free = (level.c.on_hand - level.c.unavailable - level.c.reserved).label("free")
    found = (
        select(level.c.sku_id, level.c.warehouse_id, free)
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
        .where(warehouse.c.kind != "fba", level.c.sku_id.in_(skus))
    )
    available: dict[tuple[int, int], dict[int, int]] = {}
    for row in connection.execute(found):
        for account_id in accounts:
            available.setdefault((account_id, row.sku_id), {})[row.warehouse_id] = row.free
    return available


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.load._available", _all_that_is_available)
