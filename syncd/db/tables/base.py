"""What every table shares: one MetaData with named constraints, and short column makers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Computed, ForeignKey, Integer, MetaData, Text, TextClause
from sqlalchemy.ext.compiler import compiles

from syncd.db.types import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows by INTEGER PRIMARY KEY only; PostgreSQL gets a bigint identity.
Id = BigInteger().with_variant(Integer(), "sqlite")

# Ordered byte by byte on both engines: PostgreSQL orders by the language of its database otherwise.
BytewiseText = Text().with_variant(Text(collation="C"), "postgresql")


class Derived(Computed):
    """A column that the database itself derives from others: PostgreSQL keeps the value, so that an index can have it.

    SQLite derives it when it is asked for, indexes it all the same, and can add such a column to a table.
    """

    def __init__(self, expression: str) -> None:
        super().__init__(expression, persisted=True)

    def _copy(self, **_: Any) -> Derived:
        return Derived(str(self.sqltext))


@compiles(Derived, "sqlite")
def _derived_when_asked(derived: Derived, *_: Any, **__: Any) -> str:
    return f"GENERATED ALWAYS AS ({derived.sqltext})"


class WrittenBy(TextClause):
    """The transaction that writes a row, as PostgreSQL counts them; SQLite's own rowid says the order of rows."""

    inherit_cache = True


@compiles(WrittenBy, "sqlite")
def _not_counted(*_: Any, **__: Any) -> str:
    return "NULL"


WRITTEN_BY = WrittenBy("pg_current_xact_id()::text::bigint")


def identity() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def reference(name: str, target: str, *, nullable: bool = False, **more: Any) -> Column[int]:
    return Column(name, Id, ForeignKey(target), nullable=nullable, **more)


def count(name: str, default: int = 0) -> Column[int]:
    """Pieces, or a tally."""
    return Column(name, Integer, nullable=False, server_default=str(default))


def flag(name: str, default: bool = False) -> Column[int]:
    """A yes or no, stored as 0 or 1 on both engines."""
    return Column(name, Integer, nullable=False, server_default="1" if default else "0")


def text(name: str, *, nullable: bool = False, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=nullable, **more)


def instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Instant, nullable=nullable)
