"""Row ids taken before the rows are written, so that what refers to them need not wait until they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlalchemy import ColumnElement, Connection, Executable, Table, func, literal_column, select

from syncd.db.statements import Given, Statement


class NextIds:
    """Takes ids of a table that nobody else is given; what is taken and not used is a gap."""

    def __init__(self, table: Table) -> None:
        self._take = Statement(partial(_take, table))
        self._last = Statement(partial(_last, table))

    def take(self, connection: Connection, count: int) -> Iterator[int]:
        """So many ids, growing. Whoever reads the first waits for them."""
        if not count:
            return iter(())
        if connection.dialect.name == "sqlite":  # it has one writer, which this transaction is
            last: int = self._last(connection).scalar_one()
            return iter(range(last + 1, last + count + 1))
        return iter(self._take(connection, count=count).scalars())


def _take(table: Table, given: Given) -> Executable:
    counted = func.generate_series(literal_column("1"), given.value("count", int)).table_valued("n")
    # The sequence of a BIGSERIAL. Looked up by name for each row it would cost more than the row.
    sequence: ColumnElement[str] = literal_column(f"'{table.name}_id_seq'::regclass")
    return select(func.nextval(sequence).label("id")).select_from(counted)


def _last(table: Table, _given: Given) -> Executable:
    return select(func.coalesce(func.max(table.c.id), 0))
