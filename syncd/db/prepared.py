"""A statement that is compiled once: on SQLite it goes straight to the driver, at a quarter of the way's cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Dialect, Executable
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]


class Fetched(IteratorResult[*tuple[Any, ...]]):
    """The rows of one run, all read, as SQLAlchemy's own result has them."""

    def __init__(self, metadata: SimpleResultMetaData, rows: Iterable[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = rowcount


Answer = CursorResult[*tuple[Any, ...]] | Fetched


class Prepared:
    """Runs `statement` with values by the names of its parameters, the same names each time."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Iterable[str]) -> None:
        self._statement = statement
        self._direct = _Direct.of(statement, dialect, names) if dialect.name == "sqlite" else None

    def run(self, connection: Connection, values: Values) -> Answer:
        """Raises what SQLAlchemy raises."""
        direct = self._direct
        if direct is None or not connection.in_transaction() or _is_watched(connection):
            return connection.execute(self._statement, values)
        return direct.run(connection, values)


class _Direct:
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

    @classmethod
    def of(cls, statement: Executable, dialect: Dialect, names: Iterable[str]) -> _Direct | None:
        """None for one whose text or values SQLAlchemy makes up anew at each run."""
        compiled = cast(ClauseElement, statement).compile(dialect=dialect, column_keys=sorted(names))
        assert isinstance(compiled, SQLCompiler), "what runs has a text"
        varies = any(bind.expanding or bind.callable or bind.literal_execute for bind in compiled.binds.values())
        return None if varies or compiled.insert_prefetch or compiled.update_prefetch else cls(compiled, dialect)

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
        return Fetched(self._metadata, rows, cursor.rowcount)


def _is_watched(connection: Connection) -> bool:
    """Whether somebody wants to see each statement as SQLAlchemy sends it."""
    dispatch = connection.dispatch
    return bool(dispatch.before_cursor_execute or dispatch.before_execute or dispatch.after_cursor_execute)


def _told(err: sqlite3.Error, sql: str, given: Sequence[Any], connection: Connection) -> BaseException:
    """The error in SQLAlchemy's terms. Never run it again there: SQLite may have rolled all back."""
    engine = connection.engine
    return DBAPIError.instance(
        sql, tuple(given), err, sqlite3.Error, hide_parameters=engine.hide_parameters, dialect=engine.dialect
    )
