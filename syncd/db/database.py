"""Run plain transaction functions: `await db.transact(function, *inputs)`.

A transaction function is synchronous, takes a SQLAlchemy connection and immutable inputs, and may run more than once
and on another thread. It reads no clock, no chance, no cache, and logs nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time  # noqa: TID251 - only to pause a writer's thread or the command line
from collections.abc import Callable, Collection
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from syncd.db.engine import is_sqlite, reader_engine, writer_engine
from syncd.db.one_writer import OneWriter
from syncd.db.trouble import code_of
from syncd.errors import SyncdError

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 4
PAUSE_S = 0.05
_TURN_S = 0.01
_LATELY_S = 0.5
_WRITERS = 4  # on PostgreSQL, and one more for what goes ahead
TOPICS_OPTION = "syncd_topics"
_RETRIED_SQLSTATES = {"40001", "40P01"}  # serialization failure, deadlock: the loser repeats
_LOST_SQLSTATES = ("08", "57P")  # the connection broke, or the server ends it


class DatabaseClosed(SyncdError):
    """The database was closed while work was still being handed to it."""


class StaleLoad(SyncdError):
    """What was loaded changed before it was written; the transaction is rolled back and worth repeating."""


class Transactor(Protocol):
    """Whatever can run transaction functions: the database in life, an inline one in the simulation."""

    async def transact(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    async def transact_ahead(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T: ...


class Database:
    """A SQLite file or a PostgreSQL database.

    Cancelling a caller withdraws work that has not started; started work finishes, and is idempotent by its keys.
    """

    def __init__(self, url: str, topics: Collection[str] = ()) -> None:
        """`topics` are what webhooks want to hear: they travel with each connection that writes."""
        self.url = url
        self._one_writer = OneWriter("syncd-write") if is_sqlite(url) else None
        self._writer = writer_engine(url, 1 if self._one_writer is not None else _WRITERS + 1)
        if topics:
            self._writer.update_execution_options(**{TOPICS_OPTION: frozenset(topics)})
        self._reader = reader_engine(url)
        self._write_threads: Executor
        self._ahead_threads: Executor
        if self._one_writer is not None:
            self._write_threads, self._ahead_threads = self._one_writer.usual, self._one_writer.ahead
        else:
            self._write_threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="syncd-write")
            self._ahead_threads = ThreadPoolExecutor(1, thread_name_prefix="syncd-ahead")
        self._read_threads = ThreadPoolExecutor(4, thread_name_prefix="syncd-read")

    @property
    def writer(self) -> Engine:
        return self._writer

    async def transact(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(connection, *args)` in one write transaction, committed before this returns."""
        return await self._submit(self._writer, function, *args, **kwargs)

    async def transact_ahead(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same before everything else that waits to be written: for what somebody outside waits for.

        PostgreSQL has a connection for it alone; SQLite's one writer takes it next.
        """
        return await self._run_on(self._ahead_threads, self._writer, function, *args, **kwargs)

    def others_wait(self) -> bool:
        """Whether anything waited for SQLite's one writer within the last half second. On PostgreSQL nothing does."""
        return self._one_writer is not None and self._one_writer.held_up(_LATELY_S)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(connection, *args)` on one consistent snapshot. Keep it under a second: SQLite's log waits."""
        return await self._submit(self._reader, function, *args, **kwargs)

    def transact_now(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same without an event loop, for the command line: it leaves a running daemon its turn at the lock."""
        done = _with_retries(self._writer, function, *args, **kwargs)
        if self._writer.dialect.name == "sqlite":
            time.sleep(_TURN_S)
        return done

    def read_now(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return _with_retries(self._reader, function, *args, **kwargs)

    async def _submit(self, engine: Engine, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        threads = self._write_threads if engine is self._writer else self._read_threads
        return await self._run_on(threads, engine, function, *args, **kwargs)

    async def _run_on(
        self, threads: Executor, engine: Engine, function: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, lambda: _with_retries(engine, function, *args, **kwargs))
        except RuntimeError as err:
            if "shutdown" in str(err):
                raise DatabaseClosed("the database is closed") from err
            raise

    def close(self) -> None:
        """Finish started work, then close every connection."""
        if self._one_writer is not None:
            self._one_writer.shutdown()
        else:
            self._ahead_threads.shutdown(wait=True, cancel_futures=True)
            self._write_threads.shutdown(wait=True, cancel_futures=True)
        self._read_threads.shutdown(wait=True, cancel_futures=True)
        self._writer.dispose()
        self._reader.dispose()


def _with_retries(
    engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        begun = False
        try:
            with engine.begin() as connection:
                begun = True
                return function(connection, *args, **kwargs)
        except (DBAPIError, StaleLoad) as err:
            if attempt == ATTEMPTS or not worth_repeating(err, begun=begun):
                raise
            time.sleep(PAUSE_S * attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def worth_repeating(err: DBAPIError | StaleLoad, *, begun: bool = True) -> bool:
    """Whether the same transaction, which had `begun` or had no connection yet, may succeed when it is run again."""
    if isinstance(err, StaleLoad):
        return True
    if err.connection_invalidated:
        return True
    cause = err.orig
    if isinstance(cause, sqlite3.OperationalError):
        return code_of(cause) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return not begun and _was_lost_or_refused(err)
    return state in _RETRIED_SQLSTATES or state.startswith(_LOST_SQLSTATES)


def _was_lost_or_refused(err: DBAPIError) -> bool:
    """Whether PostgreSQL could not be connected to, and said so at once: a time-out has taken its two minutes."""
    if not isinstance(err, OperationalError):
        return False
    from psycopg.errors import ConnectionTimeout  # only who has PostgreSQL loads its driver

    return not isinstance(err.orig, ConnectionTimeout)
