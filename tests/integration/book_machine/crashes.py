"""Let a transaction break off at a statement, as a power cut, a killed process or a lost connection would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, make_url, text

from syncd.db.database import Database
from syncd.db.engine import is_sqlite

Strike = Callable[[Connection], None]


class PowerCut(Exception):
    """The process ended here."""


def reopened(db: Database) -> Database:
    """The same database, opened by a new process."""
    db.close()
    return Database(db.url)


def killed_here(db: Database, folder: Path) -> tuple[Strike, list[Database]]:
    """What ends the process in the middle of a transaction, and where to find the database that it leaves.

    Its files are taken as they lie there: what is not committed is at most in the log, without its end.
    """
    file = Path(make_url(db.url).database or "")
    left: list[Database] = []

    def strike(_: Connection) -> None:
        target = folder / f"cut-{len(list(folder.glob('*.db')))}.db"  # they only grow more
        for suffix in ("", "-wal"):
            if (source := Path(f"{file}{suffix}")).exists():
                shutil.copyfile(source, f"{target}{suffix}")
        left.append(Database(f"sqlite:///{target}"))
        raise PowerCut

    return strike, left


def connection_ended(db: Database) -> Strike:
    """The server ends the connection: the statement fails, and the transaction with it."""

    def strike(connection: Connection) -> None:
        backend = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with db.writer.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend, 10000)"), {"backend": backend})  # until it has

    return strike


@contextmanager
def struck(db: Database, statement: int, strike: Strike) -> Iterator[None]:
    """Inside, the so-and-so-many-th statement of what is written is struck, once; 0 is the first."""
    with (_struck_as_told if is_sqlite(db.url) else _struck_as_sent)(db, statement, strike):
        yield


@contextmanager
def _struck_as_sent(db: Database, statement: int, strike: Strike) -> Iterator[None]:
    """On PostgreSQL, at the driver: for who listens to SQLAlchemy no statement is sent ahead."""
    from psycopg import RawCursor  # only who has PostgreSQL loads its driver

    from syncd.db.ahead import PlainCursor, driver_of

    left = statement
    writes: Connection | None = None

    def begun(connection: Connection) -> None:
        nonlocal writes
        if left >= 0:  # the connection that strikes begins too
            writes = connection

    def around(execute: Callable[..., Any]) -> Callable[..., Any]:
        def sent(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left >= 0 and writes is not None and cursor.connection is driver_of(writes):
                left -= 1
                if left == -1:
                    strike(writes)
            return execute(cursor, *args, **kwargs)

        return sent

    event.listen(db.writer, "begin", begun)
    with pytest.MonkeyPatch.context() as patch:
        for cursors in (RawCursor, PlainCursor):
            patch.setattr(cursors, "execute", around(cursors.execute))
        try:
            yield
        finally:
            event.remove(db.writer, "begin", begun)


@contextmanager
def _struck_as_told(db: Database, statement: int, strike: Strike) -> Iterator[None]:
    left = statement

    def before(connection: Connection, *_: Any) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            strike(connection)

    event.listen(db.writer, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(db.writer, "before_cursor_execute", before)


def does(
    db: Database, folder: Path, crash: int | None, function: Callable[..., Any], *args: Any
) -> tuple[Any, Database]:
    """Run a transaction; with a `crash` it breaks off at that statement and is run again. Returns what is left too."""
    if crash is None:
        return db.transact_now(function, *args), db
    if not is_sqlite(db.url):
        with struck(db, crash, connection_ended(db)):
            return db.transact_now(function, *args), db  # the database repeats it by itself
    strike, left = killed_here(db, folder)
    try:
        with struck(db, crash, strike):
            return db.transact_now(function, *args), db
    except PowerCut:
        db.close()
        return left[0].transact_now(function, *args), left[0]
