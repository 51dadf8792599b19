"""Whether a database is gone or one statement is to blame: a statement's own error stops nothing else."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from syncd.db import database
from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.db.trouble import explain, is_down


def asks(connection: Connection, statement: str) -> None:
    connection.execute(text(statement)).all()


def error_of(db: Database, statement: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as met:
        db.read_now(asks, statement)
    return met.value


def test_a_statement_that_fails_takes_no_database_down(db: Database) -> None:
    assert not is_down(error_of(db, "SELECT nothing FROM nowhere"))
    assert not is_down(ValueError("whatever"))


def test_a_stored_value_that_cannot_be_read_is_said_to_be_one(db: Database) -> None:
    json = "json_extract('{bad', '$.a')" if is_sqlite(db.url) else "CAST('{bad' AS jsonb)"
    err = error_of(db, f"SELECT {json}")

    assert not is_down(err)
    assert "none that syncd writes" in explain(err)


@pytest.mark.parametrize("run", [Database.read_now, Database.transact_now], ids=["read", "written"])
def test_a_text_that_is_none_is_said_to_be_one_and_not_shown(db: Database, run: Callable[..., None]) -> None:
    """The driver's own error: it has no code of SQLite's, and would show what is stored."""
    on_sqlite = is_sqlite(db.url)
    statement = "SELECT CAST(x'4a616e6520446f65ff' AS TEXT) AS found" if on_sqlite else "SELECT CAST('Jane Doe' AS int)"

    with pytest.raises(DBAPIError) as met:
        run(db, asks, statement)

    said = explain(met.value)
    assert not is_down(met.value)
    assert "none that syncd writes" in said
    assert "column 'found'" in said if on_sqlite else "for type integer" in said
    assert "Jane" not in said


@pytest.mark.parametrize(
    ("text_of_it", "said"),
    [
        ('value "99999999999" is out of range for type integer', 'value "…" is out of range for type integer.'),
        ('invalid input syntax for type integer: "Jane "the" Doe"', 'invalid input syntax for type integer: "…".'),
        ('invalid input syntax for type integer: "Jane\nDoe"', 'invalid input syntax for type integer: "…".'),
    ],
)
def test_what_postgresql_refuses_of_a_value_is_told_without_it(text_of_it: str, said: str) -> None:
    assert explain(of_postgresql("22003", text_of_it)).startswith(f"{said} A value in the database is none")


SQLITES_DISK_AND_MEMORY = [
    (sqlite3.SQLITE_IOERR_READ, "its disk is whole"),
    (sqlite3.SQLITE_IOERR_FSYNC, "its disk is whole"),
    (sqlite3.SQLITE_NOMEM, "ran out of memory"),
]


@pytest.mark.parametrize(("code", "remedy"), SQLITES_DISK_AND_MEMORY)
def test_a_sick_disk_or_no_memory_takes_sqlite_down_with_its_remedy(code: int, remedy: str) -> None:
    met = sqlite3.OperationalError("disk I/O error")
    met.sqlite_errorcode = code
    err = OperationalError("SELECT 1", {}, met)

    assert is_down(err)
    assert remedy in explain(err)


@pytest.mark.parametrize(
    ("state", "down", "remedy"),
    [
        ("25006", True, "names the primary"),
        ("58030", True, "the server's disk"),
        ("53100", False, "Make room on the server's disk"),
        ("53200", False, "ran out of memory"),
    ],
)
def test_what_ails_a_server_has_its_remedy(state: str, down: bool, remedy: str) -> None:
    err = of_postgresql(state, "it is so")

    assert is_down(err) == down
    assert remedy in explain(err)


def of_postgresql(state: str, told: str) -> OperationalError:
    return OperationalError("SELECT 1", {}, psycopg.errors.lookup(state)(told))


def test_a_statement_that_takes_too_long_takes_no_database_down(db: Database) -> None:
    if is_sqlite(db.url):
        pytest.skip("SQLite has no such limit")

    def slow(connection: Connection) -> None:
        connection.execute(text("SET LOCAL statement_timeout = 20"))
        connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DBAPIError) as met:
        db.read_now(slow)

    assert not is_down(met.value)
    assert "took too long" in explain(met.value)


def test_a_server_that_cannot_be_reached_is_down() -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        db = Database(f"postgresql+psycopg://nobody@127.0.0.1:{nobody.getsockname()[1]}/none")
        try:
            assert is_down(error_of(db, "SELECT 1"))
        finally:
            db.close()


def test_a_connection_that_is_cut_is_down(db: Database) -> None:
    if is_sqlite(db.url):
        pytest.skip("SQLite has no server")

    assert is_down(error_of(db, "SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_file_that_is_not_there_is_down(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'no folder' / 'syncd.db'}")
    try:
        assert is_down(error_of(db, "SELECT 1"))
    finally:
        db.close()


def test_a_file_that_somebody_else_holds_is_down(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_sqlite(db.url):
        pytest.skip("a lock on PostgreSQL is one of a table")
    monkeypatch.setattr(database, "ATTEMPTS", 1)
    with closing(sqlite3.connect(make_url(db.url).database or "", isolation_level=None)) as other:
        with db.writer.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DBAPIError) as met:
            db.transact_now(asks, "SELECT 1")

    assert is_down(met.value)
