"""Engines as the book needs them: one writer and many readers on SQLite, a small pool on PostgreSQL."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from syncd.db import patience

_BUSY_TIMEOUT_MS = 5_000
_STATEMENTS = 512  # kept parsed on a connection: the usual 128 are fewer than a busy day runs
_LOG_PAGES = 4_000  # some 16 MB; a full batch of orders writes 850, many of them the same as the one before
_STATEMENT_TIMEOUT_MS = 20_000
_LOCK_TIMEOUT_MS = 5_000  # less: who waits for somebody else is told from who takes too long itself
_MIGRATION_LOCK_TIMEOUT_MS = 3_000
_PLANS = "-c random_page_cost=1.1"  # of no disk that turns: the default makes small batches read whole tables


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def writer_engine(url: str, connections: int = 4) -> Engine:
    """An engine whose transactions write. SQLite gets exactly one connection, and BEGIN IMMEDIATE."""
    if is_sqlite(url):
        return _sqlite(url, connections=1, query_only=False)
    return _postgresql(url, connections, read_only=False)


def migration_engine(url: str) -> Engine:
    """An engine for migrations: a statement may take as long as it must, but waits for a lock only briefly.

    On PostgreSQL everybody else would queue behind a migration that waits for a lock.
    """
    if is_sqlite(url):
        return _sqlite(url, connections=1, query_only=False, limited=False)
    timeouts = f"-c statement_timeout=0 -c lock_timeout={_MIGRATION_LOCK_TIMEOUT_MS}"
    return _postgresql(url, 1, read_only=False, timeouts=timeouts)


def reader_engine(url: str, connections: int = 4) -> Engine:
    """An engine that cannot write."""
    if is_sqlite(url):
        return _sqlite(url, connections, query_only=True)
    return _postgresql(url, connections, read_only=True)


def _sqlite(url: str, connections: int, query_only: bool, *, limited: bool = True) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # an error's text must not carry a buyer's address into the log
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000, "cached_statements": _STATEMENTS},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # an acknowledged order survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        if query_only:
            connection.execute("PRAGMA query_only=ON")
        if limited:
            patience.limit(connection, record.info)

    words = "BEGIN" if query_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None, "a connection that begins is open"
        try:
            driver.execute(words)  # at a tenth of what SQLAlchemy takes for it
        except sqlite3.Error:
            connection.exec_driver_sql(words)  # which says in its own terms what is wrong, if it still is
        patience.begin(connection.info)

    return engine


def _postgresql(url: str, connections: int, read_only: bool, timeouts: str | None = None) -> Engine:
    from syncd.db.ahead import PlainCursor  # only who has PostgreSQL loads its driver

    options = timeouts or f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c lock_timeout={_LOCK_TIMEOUT_MS} {_PLANS}"
    if read_only:
        options += " -c default_transaction_read_only=on"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        connect_args={"options": options, "application_name": "syncd", "cursor_factory": PlainCursor},
    )
    event.listen(engine, "handle_error", _hide_values)
    return engine


def _hide_values(context: ExceptionContext) -> None:
    """Keep what was broken and drop the values: PostgreSQL's DETAIL and CONTEXT quote the whole row, unlike SQLite."""
    cause = context.original_exception
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is None or diagnosis.message_primary is None:
        return
    told, kept = str(cause), diagnosis.message_primary
    if (diagnosis.sqlstate or "").startswith("22"):  # a value that is none: the message itself quotes it
        kept = re.sub(r'".*"', "[hidden]", kept, flags=re.DOTALL)
    cause.args = (kept,)
    wrapped = context.sqlalchemy_exception
    if wrapped is not None:
        wrapped.args = tuple(arg.replace(told, kept) if isinstance(arg, str) else arg for arg in wrapped.args)
