"""A statement that is compiled once and goes straight to the driver: at a quarter of what SQLAlchemy's way costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from syncd.db.fetched import Answer, Fetched
from syncd.db.pipeline import is_watched

if TYPE_CHECKING:
    from syncd.db.on_postgresql import OnPostgresql

Values = Mapping[str, Any]


class Prepared:
    """Runs `statement` with values by the names of its parameters, the same names each time."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Iterable[str]) -> None:
        self._statement = statement.execution_options(preserve_rowcount=True)  # or an INSERT would not tell
        compiled = _fixed(statement, dialect, names)
        self._direct = None if compiled is None else _direct(compiled, dialect)

    def run(self, connection: Connection, values: Values) -> Answer:
        """Raises what SQLAlchemy raises."""
        direct = self._direct
        if direct is None or not connection.in_transaction() or is_watched(connection):
            return connection.execute(self._statement, values)
        return direct.run(connection, values)


def _direct(compiled: SQLCompiler, dialect: Dialect) -> _OnSqlite | OnPostgresql:
    if dialect.name == "sqlite":
        return _OnSqlite(compiled, dialect)
    from syncd.db.on_postgresql import OnPostgresql  # only who has PostgreSQL loads its driver

    return OnPostgresql(compiled, dialect)


def _fixed(statement: Executable, dialect: Dialect, names: Iterable[str]) -> SQLCompiler | None:
    """None for one whose text or values SQLAlchemy makes up anew at each run."""
    compiled = cast(ClauseElement, statement).compile(dialect=dialect, column_keys=sorted(names))
    assert isinstance(compiled, SQLCompiler), "what runs has a text"
    varies = any(bind.expanding or bind.callable or bind.literal_execute for bind in compiled.binds.values())
    return None if varies or compiled.insert_prefetch or compiled.update_prefetch else compiled


class _OnSqlite:
    """What the driver takes: the text, and where each of its values comes from."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._sql = compiled.string
        fixed = compiled.params
        self._template: list[Any] = []
        self._holes: list[tuple[int, str, Callable[[Any], Any] | None]] = []
        for position, name in enumerate(compiled.positiontup or ()):
            bind = compiled.binds[name]
            encode = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.required:
                self._template.append(None)
                self._holes.append((position, name, encode))
            else:
                self._template.append(encode(fixed[name]) if encode else fixed[name])
        columns = compiled._result_columns
        self._gives_rows = bool(columns)
        self._metadata = SimpleResultMetaData(
            [each.keyname for each in columns],
            extra=[each.objects for each in columns],
            _processors=[each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns],
        )

    def run(self, connection: Connection, values: Values) -> Fetched:
        given = list(self._template)
        for position, name, encode in self._holes:
            value = values[name]
            given[position] = value if encode is None else encode(value)
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        try:
            cursor = driver.execute(self._sql, given)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall() if self._gives_rows else ()
        except sqlite3.Error as err:
            raise _told(err, self._sql, given, connection) from err
        return Fetched(self._metadata, rows, lambda: cursor.rowcount)


def _told(err: sqlite3.Error, sql: str, given: Sequence[Any], connection: Connection) -> BaseException:
    """The error in SQLAlchemy's terms. Never run it again there: SQLite may have rolled all back."""
    engine = connection.engine
    return DBAPIError.instance(
        sql, tuple(given), err, sqlite3.Error, hide_parameters=engine.hide_parameters, dialect=engine.dialect
    )
