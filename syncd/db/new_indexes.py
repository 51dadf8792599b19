"""Indexes on tables that may be large, made by a migration without stopping who writes to them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

New = tuple[str, str, list[str], str]
"""(name, table, columns, the condition of a partial index)."""


def add_indexes(*wanted: New) -> None:
    """Make these indexes, and nothing else in the same migration: on PostgreSQL each is committed by itself.

    What a broken attempt left there, valid or not, is made anew. SQLite has one writer anyway.
    """
    if op.get_bind().dialect.name == "sqlite":
        for name, table, columns, condition in wanted:
            op.create_index(name, table, columns, sqlite_where=text(condition))
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for others' transactions, and nobody waits for it
        for name, table, columns, condition in wanted:
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
            op.create_index(name, table, columns, postgresql_where=text(condition), postgresql_concurrently=True)
        op.execute("RESET lock_timeout")
