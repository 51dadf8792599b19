"""Cells as they are saved, and the horizon that certifies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, Executable, select, update

from syncd.db.rows import Kind
from syncd.db.statements import Given, statement
from syncd.db.tables import cell, cursor
from syncd.publishing.cells import Cell

_CELL_COLUMNS: dict[str, Kind] = {
    field.name: str
    if field.name in ("name", "in_flight_key")
    else datetime
    if field.name.endswith(("_at", "_until"))
    else int
    for field in fields(Cell)
}
_values = attrgetter(*_CELL_COLUMNS)


def save_cells(connection: Connection, cells: Sequence[Cell]) -> None:
    if cells:
        _save(
            connection,
            new=[[int(value) if isinstance(value, bool) else value for value in _values(each)] for each in cells],
        )


@statement
def _save(given: Given) -> Executable:
    new = given.rows("new", **_CELL_COLUMNS)
    return (
        update(cell)
        .values({name: new.c[name] for name in _CELL_COLUMNS if name not in ("listing_id", "name")})
        .where(cell.c.listing_id == new.c.listing_id, cell.c.name == new.c.name)
    )


def read_horizon(connection: Connection, account_id: int) -> datetime | None:
    """Up to when the book knows every order that a complete poll of the account could see."""
    return _horizon(connection, account_id=account_id).scalar_one_or_none()


@statement
def _horizon(given: Given) -> Executable:
    return select(cursor.c.horizon_at).where(
        cursor.c.account_id == given.value("account_id", int), cursor.c.stream == "orders"
    )
