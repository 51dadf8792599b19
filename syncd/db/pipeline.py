"""Send the statements of a transaction ahead: PostgreSQL works on one while Python still shapes the next.

with pipelined(connection):
    found = _first(connection, ...)            # sent; whoever looks at its answer waits for it
    written = _second(connection, rows=rows)   # sent
    expect(written, len(rows), error)  # looked at when the answer is there, at the latest at the end

An error is told of the statement that made it, as soon as any answer is waited for, at the latest at the end: so every
statement has been answered, and found right, before the transaction commits. On SQLite nothing is sent ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from syncd.db.fetched import Answer, Fetched, Wrong


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Send the prepared statements of this block ahead; at its end all are answered, or what went wrong is raised."""
    if connection.dialect.name != "postgresql" or is_watched(connection):
        yield
        return
    from syncd.db.ahead import sending_ahead  # only who has PostgreSQL loads its driver

    with sending_ahead(connection):
        yield


def expect(answer: Answer, rows: int, wrong: Wrong) -> None:
    """Raise `wrong` when a statement does not meet so many rows: at once, or when its answer is there."""
    if isinstance(answer, Fetched):
        answer.expect(rows, wrong)
    elif answer.rowcount != rows:
        raise wrong(answer.rowcount)


def is_watched(connection: Connection) -> bool:
    """Whether somebody wants to see each statement as SQLAlchemy sends it."""
    dispatch = connection.dispatch
    return bool(dispatch.before_cursor_execute or dispatch.before_execute or dispatch.after_cursor_execute)
