"""PostgreSQL's end of `syncd.db.pipeline`: what was sent ahead on a connection, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection

from syncd.db.fetched import Wrong

Driver = psycopg.Connection[tuple[Any, ...]]


@dataclass(slots=True, eq=False)
class Sent:
    """A statement on its way; its cursor has a result once it was answered."""

    cursor: psycopg.RawCursor[tuple[Any, ...]]
    sql: str
    given: Sequence[Any]
    expected: int | None = None
    wrong: Wrong | None = None


class Pipeline:
    """What of one connection was sent and not yet looked at."""

    def __init__(self, connection: Connection, wire: psycopg.Pipeline) -> None:
        self._connection = connection
        self._wire = wire
        self._open: list[Sent] = []

    def send(self, cursor: psycopg.RawCursor[tuple[Any, ...]], text: bytes, sql: str, given: Sequence[Any]) -> Sent:
        """Raises what an earlier statement was answered with, too."""
        sent = Sent(cursor, sql, given)
        self._open.append(sent)
        try:
            cursor.execute(text, given)
        except psycopg.Error as err:
            self._fail(err)
        return sent

    def wait_for(self, sent: Sent) -> None:
        if sent.cursor.pgresult is None:
            self.settle()

    def settle(self) -> None:
        """Wait until everything sent is answered; raise what is wrong with the first that failed."""
        if not self._open:
            return
        try:
            self._wire.sync()
        except psycopg.Error as err:
            self._fail(err)
        self._look_at(self._open)
        self._open.clear()

    def _look_at(self, answered: Sequence[Sent]) -> None:
        for each in answered:
            if each.wrong is not None and each.cursor.rowcount != each.expected:
                raise each.wrong(each.cursor.rowcount)

    def _fail(self, err: psycopg.Error) -> None:
        """Raise it as the error of the statement that made it, unless one before met other rows than expected."""
        failed = len(self._open) - 1  # what psycopg itself refuses, it refuses of what is just being sent
        if err.sqlstate is not None:
            failed = next((at for at, each in enumerate(self._open) if each.cursor.pgresult is None), failed)
            self._look_at(self._open[:failed])
        sent = self._open[failed]
        self._open.clear()
        self.drain()
        tell(self._connection, err, sent.sql, sent.given)

    def drain(self) -> None:
        """Wait for what is still to come and forget it: what is wrong is known, and the rest follows from it."""
        with suppress(psycopg.Error):
            self._wire.sync()


def tell(connection: Connection, err: psycopg.Error, sql: str, given: Sequence[Any]) -> None:
    """Raise a driver's error as SQLAlchemy would, had it run the statement: wrapped, heard, a lost connection noted."""
    connection._handle_dbapi_exception(err, sql, tuple(given), None, None)


_pipelines: WeakKeyDictionary[Driver, Pipeline] = WeakKeyDictionary()


def pipeline_of(driver: Driver) -> Pipeline | None:
    """The pipeline that a connection is in, if any."""
    return _pipelines.get(driver)


def driver_of(connection: Connection) -> Driver:
    return cast(Driver, connection.connection.driver_connection)


@contextmanager
def sending_ahead(connection: Connection) -> Iterator[None]:
    """The connection sends its prepared statements ahead; at the end all are answered, or what went wrong is raised."""
    driver = driver_of(connection)
    if pipeline_of(driver) is not None:  # the outer one's end is the end of this one's statements too
        yield
        return
    told = False
    try:
        with driver.pipeline() as wire:
            pipeline = _pipelines[driver] = Pipeline(connection, wire)
            try:
                yield
                pipeline.settle()
            except BaseException:
                told = True
                pipeline.drain()
                raise
            finally:
                del _pipelines[driver]
    except psycopg.Error as err:
        if told:
            raise
        driver.close()  # the pipeline itself did not begin or end: the connection is lost, or of no more use
        tell(connection, err, "", ())


class PlainCursor(psycopg.Cursor[tuple[Any, ...]]):
    """The cursor of SQLAlchemy's own statements: they need their answer at once, also between others sent ahead."""

    def execute(self, *args: Any, **kwargs: Any) -> PlainCursor:
        pipeline = pipeline_of(self.connection)
        if pipeline is None:
            return super().execute(*args, **kwargs)
        pipeline.settle()
        super().execute(*args, **kwargs)
        with self.connection.pipeline():  # one within the other: its end waits for the answer
            return self
