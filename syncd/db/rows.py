"""Hand many rows to one statement, on both engines: a JSON array becomes a table inside the database.

Never executemany: with a busy main thread it gives the interpreter up row by row (measured about seven times slower).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Subquery, Table, Text, bindparam, cast, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement, Select
from sqlalchemy.types import TypeEngine

from syncd.db.types import Instant, to_micros

Columns = Sequence[tuple[str, type[int] | type[str] | type[datetime]]]

_TYPES: dict[type, TypeEngine[Any]] = {int: BigInteger(), str: Text(), datetime: Instant()}


def rows(connection: Connection, name: str, columns: Columns, data: Iterable[Sequence[Any]]) -> Subquery:
    """A subquery `name` with one row per item of `data`; values are int, str, aware datetime or None."""
    payload = msgspec.json.encode([[_plain(value) for value in row] for row in data]).decode()
    if connection.dialect.name == "sqlite":
        source = func.json_each(bindparam(f"{name}_rows", payload, Text())).table_valued("value", name=f"{name}_json")
        picked = [
            cast(func.json_extract(source.c.value, f"$[{position}]"), _TYPES[kind]).label(column)
            if kind is not str
            else func.json_extract(source.c.value, f"$[{position}]", type_=Text()).label(column)
            for position, (column, kind) in enumerate(columns)
        ]
    else:
        parsed = cast(bindparam(f"{name}_rows", payload, Text()), postgresql.JSONB)
        source = func.jsonb_array_elements(parsed).table_valued("value", name=f"{name}_json")
        picked = [
            cast(source.c.value.op("->>")(literal(position, literal_execute=True)), _TYPES[kind]).label(column)
            for position, (column, kind) in enumerate(columns)
        ]
    return select(*picked).select_from(source).subquery(name)


def insert_rows(
    connection: Connection, table: Table, columns: Columns, data: Sequence[Sequence[Any]], *, ignore: bool = False
) -> int:
    """Insert many rows in one statement. `ignore` skips rows whose key is already there. Returns how many went in."""
    if not data:
        return 0
    source = rows(connection, "new_rows", columns, data)
    statement = upsert(connection, table).from_select([name for name, _ in columns], _selectable(source))
    if ignore:
        statement = statement.on_conflict_do_nothing()
    return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount


def upsert(connection: Connection, table: Table) -> postgresql.Insert:
    """The engine's own INSERT, with ON CONFLICT. Both dialects share the methods used here."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)  # type: ignore[return-value]  # same interface, no common base class
    return postgresql.insert(table)


def _selectable(source: Subquery) -> Select[Any]:
    # WHERE true: SQLite could not tell an upsert's ON from a join's otherwise.
    return select(source).where(_true())


def _true() -> ColumnElement[bool]:
    return literal(1, literal_execute=True) == literal(1, literal_execute=True)


def selectable(source: Subquery) -> Select[Any]:
    """Every column of `source`, in a form that INSERT ... SELECT ... ON CONFLICT accepts on both engines."""
    return _selectable(source)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, str) and "\x00" in value:
        return value.replace("\x00", "")  # PostgreSQL's text cannot hold it, and no name or address needs it
    return value
