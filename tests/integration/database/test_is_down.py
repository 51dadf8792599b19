"""Whether a database is gone or one statement is to blame: a statement's own error stops nothing else."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

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
