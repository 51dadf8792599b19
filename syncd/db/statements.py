"""Statements that are built once for each engine and run often: building one costs far more than SQLite running it.

@statement
def _wake(given: Given) -> Executable:
    woken = given.rows("woken", id=int)
    return update(dirty_listing).values(due_at=given.value("now", datetime)).where(...woken.c.id...)

_wake(connection, woken=[(7,), (9,)], now=now)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Select,
    Subquery,
    Table,
    any_,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy.dialects import postgresql

from syncd.db.fetched import Answer
from syncd.db.prepared import Prepared
from syncd.db.rows import TYPES, Kind, always, encode_rows, insert_into, instants_of, row_source, selectable


class Given:
    """What a statement is built from: the rows and values that each run of it is given, declared by name."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self.names: dict[str, tuple[int, ...] | None] = {}  # of rows, where instants are; None: a single value

    def rows(self, name: str, /, **columns: Kind) -> Subquery:
        """A subquery with one row per item given; an item has values of these columns, in this order."""
        kinds = list(columns.items())
        self.names[name] = instants_of(kinds)
        return row_source(self._dialect, name, kinds, bindparam(_bind(name), type_=TYPES[str]))

    def value(self, name: str, kind: Kind) -> BindParameter[Any]:
        """A single value."""
        self.names[name] = None
        return bindparam(_bind(name), type_=TYPES[kind])

    def among(self, column: ColumnElement[Any], wanted: Select[Any]) -> ColumnElement[bool]:
        """That a column is one of some values: PostgreSQL finds each by index, however few rows it takes them for."""
        if self._dialect == "sqlite":
            return column.in_(wanted)
        return column == any_(func.array(wanted.scalar_subquery(), type_=postgresql.ARRAY(column.type)))

    def insert(self, table: Table, source: Subquery | Select[Any]) -> postgresql.Insert:
        """The engine's own INSERT of every column of `source`, to which ON CONFLICT can be added."""
        picked = selectable(source) if isinstance(source, Subquery) else source.where(always())
        return insert_into(self._dialect, table).from_select(picked.selected_columns.keys(), picked)


class Statement:
    """A statement that is run by calling it with a connection and everything it is to be given."""

    def __init__(self, build: Callable[[Given], Executable]) -> None:
        self._build = build
        self._built: dict[str, tuple[Prepared, dict[str, tuple[int, ...] | None]]] = {}

    def __call__(self, connection: Connection, /, **given: Any) -> Answer:
        built = self._built.get(connection.dialect.name) or self._for(connection.dialect)
        prepared, names = built
        if given.keys() != names.keys():
            raise TypeError(f"{self._build} is given {sorted(given)}, and takes {sorted(names)}")
        values = {
            _bind(name): value if (instants := names[name]) is None else encode_rows(value, instants)
            for name, value in given.items()
        }
        return prepared.run(connection, values)

    def _for(self, dialect: Dialect) -> tuple[Prepared, dict[str, tuple[int, ...] | None]]:
        given = Given(dialect.name)
        prepared = Prepared(self._build(given), dialect, map(_bind, given.names))
        built = self._built[dialect.name] = (prepared, given.names)  # two threads may do so at once: both are good
        return built


statement = Statement


def constant(value: str) -> ColumnElement[str]:
    """A text of our own in the statement itself: SQLite sees only so that a partial index has what is wanted."""
    return literal_column(f"'{value}'", TYPES[str])


def _bind(name: str) -> str:
    return f"given_{name}"  # SQLAlchemy takes a parameter that is called as a column for the column's new value
