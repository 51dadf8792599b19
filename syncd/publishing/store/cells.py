"""Cells as they are saved, and the horizon that certifies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, select, update

from syncd.db.rows import rows
from syncd.db.tables import cell, cursor
from syncd.publishing.cells import Cell

_CELL_COLUMNS = [
    (field.name, str if field.name in ("name", "in_flight_key") else datetime if field.name.endswith("_at") else int)
    for field in fields(Cell)
]


def save_cells(connection: Connection, cells: Sequence[Cell]) -> None:
    if not cells:
        return
    data = []
    for each in cells:
        values = [getattr(each, name) for name, _ in _CELL_COLUMNS]
        data.append([int(value) if isinstance(value, bool) else value for value in values])
    source = rows(connection, "new_cells", _CELL_COLUMNS, data)
    changed = [name for name, _ in _CELL_COLUMNS if name not in ("listing_id", "name")]
    connection.execute(
        update(cell)
        .values({name: source.c[name] for name in changed})
        .where(cell.c.listing_id == source.c.listing_id, cell.c.name == source.c.name)
    )


def read_horizon(connection: Connection, account_id: int) -> datetime | None:
    """Up to when the book knows every order that a complete poll of the account could see."""
    return connection.execute(
        select(cursor.c.horizon_at).where(cursor.c.account_id == account_id, cursor.c.stream == "orders")
    ).scalar_one_or_none()
