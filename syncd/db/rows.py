"""Hand many rows to one statement, on both engines: a JSON array becomes a table inside the database.

Never executemany: with a busy main thread it gives the interpreter up row by row (measured about seven times slower).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Subquery,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import Select
from sqlalchemy.types import TypeEngine

from syncd.db.prepared import Prepared
from syncd.db.types import Instant, to_micros

Kind = type[int] | type[str] | type[datetime]
Columns = Sequence[tuple[str, Kind]]

TYPES: dict[type, TypeEngine[Any]] = {int: BigInteger(), str: Text(), datetime: Instant()}

_encoder = msgspec.json.Encoder()


def row_source(dialect: str, name: str, columns: Columns, payload: BindParameter[Any]) -> Subquery:
    """A subquery `name` with one row per item of the encoded rows that `payload` stands for."""
    if dialect == "sqlite":
        source = func.json_each(payload).table_valued("value", name=f"{name}_json")
        picked = [
            cast(func.json_extract(source.c.value, _path(position)), TYPES[kind]).label(column)
            if kind is not str
            else func.json_extract(source.c.value, _path(position), type_=Text()).label(column)
            for position, (column, kind) in enumerate(columns)
        ]
    else:
        source = func.jsonb_array_elements(cast(payload, postgresql.JSONB)).table_valued("value", name=f"{name}_json")
        picked = [
            cast(source.c.value.op("->>")(literal_column(str(position))), TYPES[kind]).label(column)
            for position, (column, kind) in enumerate(columns)
        ]
    return select(*picked).select_from(source).subquery(name)


def encode_rows(data: Iterable[Sequence[Any]], instants: Sequence[int] = ()) -> str:
    """Rows as `row_source` takes them apart; values are int, str, None or, where `instants` says so, aware datetimes.

    `instants` are the positions of the columns that hold datetimes.
    """
    table: list[Sequence[Any]] = _in_micros(data, instants) if instants else [tuple(row) for row in data]
    if table and any(isinstance(value, datetime) for value in table[0]):
        raise TypeError("a datetime was given for a column that is declared as none: SQLite would store its year")
    payload = _encoder.encode(table).decode()
    if "\\u0000" in payload:  # PostgreSQL's text cannot hold it, and no name or address needs it
        cleaned = [[value.replace("\x00", "") if isinstance(value, str) else value for value in row] for row in table]
        payload = _encoder.encode(cleaned).decode()
    return payload


def instants_of(columns: Columns) -> tuple[int, ...]:
    """The positions of the columns that hold datetimes."""
    return tuple(position for position, (_, kind) in enumerate(columns) if kind is datetime)


def _in_micros(data: Iterable[Sequence[Any]], instants: Sequence[int]) -> list[Sequence[Any]]:
    table = [list(row) for row in data]
    for position in instants:
        instant = micros = None
        for row in table:
            if row[position] is not instant:  # most rows of a batch have the same one
                instant = row[position]
                micros = None if instant is None else to_micros(instant)
            row[position] = micros
    return list(table)


def insert_rows(
    connection: Connection, table: Table, columns: Columns, data: Sequence[Sequence[Any]], *, ignore: bool = False
) -> int:
    """Insert many rows in one statement. `ignore` skips rows whose key is already there. Returns how many went in."""
    if not data:
        return 0
    key = (connection.dialect.name, table, tuple(columns), ignore)
    insert = _inserts.get(key)
    if insert is None:  # two threads may find so at once: both are good
        insert = _inserts[key] = _insert(connection.dialect, table, tuple(columns), ignore)
    return insert.run(connection, {_NEW: encode_rows(data, instants_of(columns))}).rowcount


_NEW = "new_rows"
_inserts: dict[tuple[str, Table, Columns, bool], Prepared] = {}


def _insert(dialect: Dialect, table: Table, columns: Columns, ignore: bool) -> Prepared:
    source = row_source(dialect.name, "new", columns, bindparam(_NEW, type_=Text()))
    statement = insert_into(dialect.name, table).from_select([name for name, _ in columns], selectable(source))
    if ignore:
        statement = statement.on_conflict_do_nothing()
    return Prepared(statement, dialect, [_NEW])


def insert_into(dialect: str, table: Table) -> postgresql.Insert:
    """The engine's own INSERT, with ON CONFLICT. Both dialects share the methods used here."""
    if dialect == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]  # same interface, no common base class
    return postgresql.insert(table)


def selectable(source: Subquery) -> Select[Any]:
    """Every column of `source`, in a form that INSERT ... SELECT ... ON CONFLICT accepts on both engines."""
    return select(source).where(always())


def always() -> ColumnElement[bool]:
    """WHERE true: without any, SQLite could not tell an upsert's ON from a join's."""
    return literal_column("1") == literal_column("1")


def _path(position: int) -> Any:
    return literal_column(f"'$[{position}]'")
