"""Statements sent ahead answer, fail and count as if each had been waited for."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, event, func, literal_column, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from syncd.db.database import Database, StaleLoad, worth_repeating
from syncd.db.engine import is_sqlite
from syncd.db.ids import NextIds
from syncd.db.pipeline import expect, pipelined
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import sku
from tests.integration.database.skus import add_sku, codes


@statement
def _add(given: Given) -> Executable:
    return given.insert(sku, given.rows("added", code=str, title=str))


@statement
def _rename(given: Given) -> Executable:
    renamed = given.rows("renamed", code=str, title=str)
    return update(sku).values(title=renamed.c.title).where(sku.c.code == renamed.c.code)


@statement
def _titles(given: Given) -> Executable:
    wanted = given.rows("wanted", code=str)
    return select(sku.c.title).join(wanted, wanted.c.code == sku.c.code).order_by(sku.c.code)


@statement
def _sleep(given: Given) -> Executable:
    return select(func.pg_sleep(given.value("seconds", int)))


@statement
def _beyond_all_years(_given: Given) -> Executable:
    return select(literal_column("'infinity'::timestamptz"))


def _stale(rows: int) -> StaleLoad:
    return StaleLoad(f"{rows} rows")


def _on_postgresql(db: Database) -> None:
    if is_sqlite(db.url):
        pytest.skip("nothing is sent ahead on SQLite")


def test_an_answer_is_read_later_and_sees_what_was_sent_before_it(db: Database) -> None:
    def write(connection: Connection) -> list[str]:
        with pipelined(connection):
            _add(connection, added=[("A", "one"), ("B", "two")])
            first = _titles(connection, wanted=[("A",), ("B",)])
            renamed = _rename(connection, renamed=[("A", "three")])
            second = _titles(connection, wanted=[("A",), ("B",)])
            assert renamed.rowcount == 1
            return [*first.scalars(), *second.scalars()]

    assert db.transact_now(write) == ["one", "two", "three", "two"]
    assert db.transact_now(write_again, "C") == ["C", "C"]  # also once the statements are known


def write_again(connection: Connection, code: str) -> list[str]:
    with pipelined(connection):
        _add(connection, added=[(code, code)])
        first = _titles(connection, wanted=[(code,)])
        second = _titles(connection, wanted=[(code,)])
        return [*second.scalars(), *first.scalars()]


def test_what_nobody_looks_at_is_committed(db: Database) -> None:
    def write(connection: Connection) -> None:
        with pipelined(connection):
            _add(connection, added=[("A", "one")])
            insert_rows(connection, sku, [("code", str), ("title", str)], [("B", "two")])

    db.transact_now(write)

    assert db.read_now(codes) == ["A", "B"]


def test_the_error_of_a_statement_in_the_middle_is_told_of_that_one_and_nothing_is_written(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    db.transact_now(add_sku, "TAKEN")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            _rename(connection, renamed=[("TAKEN", "new")])
            _add(connection, added=[("TAKEN", "Jane Buyer's own")])
            _rename(connection, renamed=[("TAKEN", "newer")])

    for _ in range(8):  # sent as it is at first, prepared from the sixth time on
        with caplog.at_level(logging.DEBUG), pytest.raises(IntegrityError) as caught:
            db.transact_now(write)
        assert "INSERT INTO sku" in str(caught.value)
        assert "Jane" not in str(caught.value) + caplog.text

    assert db.read_now(lambda connection: _titles(connection, wanted=[("TAKEN",)]).scalar_one()) != "new"
    db.transact_now(add_sku, "NEXT")  # the connection is as good as before
    assert db.read_now(codes) == ["NEXT", "TAKEN"]


def test_a_count_that_was_not_expected_is_raised_at_the_end(db: Database) -> None:
    db.transact_now(add_sku, "HERE")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            renamed = _rename(connection, renamed=[("HERE", "new"), ("GONE", "new")])
            expect(renamed, 2, _stale)
            _add(connection, added=[("MORE", "more")])

    for _ in range(2):
        with pytest.raises(StaleLoad, match="1 rows"):
            db.transact_now(write)
    assert db.read_now(codes) == ["HERE"]


def test_what_was_stale_is_told_before_what_follows_from_it(db: Database) -> None:
    db.transact_now(add_sku, "HERE")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            expect(_rename(connection, renamed=[("GONE", "new")]), 1, _stale)
            _add(connection, added=[("HERE", "again")])

    for _ in range(2):
        with pytest.raises(StaleLoad):
            db.transact_now(write)


def test_a_count_as_expected_is_no_error(db: Database) -> None:
    db.transact_now(add_sku, "HERE")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            expect(_rename(connection, renamed=[("HERE", "new")]), 1, _stale)

    for _ in range(2):
        db.transact_now(write)
    assert db.read_now(lambda connection: _titles(connection, wanted=[("HERE",)]).scalar_one()) == "new"


def test_sqlalchemys_own_statements_are_answered_at_once_between_those_sent_ahead(db: Database) -> None:
    def write(connection: Connection) -> tuple[int, int, list[str]]:
        with pipelined(connection):
            _add(connection, added=[("A", "one"), ("B", "two")])
            counted = connection.execute(select(func.count()).select_from(sku)).scalar_one()
            met = connection.execute(text("UPDATE sku SET title = 'x'")).rowcount
            return counted, met, list(_titles(connection, wanted=[("A",)]).scalars())

    for code in ("A", "B"):
        db.transact_now(lambda connection: connection.execute(text("DELETE FROM sku")))
        assert db.transact_now(write) == (2, 2, ["x"]), code


def test_an_error_of_one_sent_ahead_is_not_told_of_sqlalchemys_own_statement_after_it(db: Database) -> None:
    db.transact_now(add_sku, "TAKEN")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            _add(connection, added=[("TAKEN", "again")])
            connection.execute(select(func.count()).select_from(sku))

    for _ in range(2):
        with pytest.raises(IntegrityError, match="INSERT INTO sku"):
            db.transact_now(write)


def test_an_exception_of_our_own_rolls_everything_back(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    db.transact_now(add_sku, "TAKEN")

    def write(connection: Connection) -> None:
        with pipelined(connection):
            _add(connection, added=[("OTHER", "other")])
            _add(connection, added=[("TAKEN", "Jane Buyer's own")])
            raise LookupError("ours")

    for _ in range(2):
        with caplog.at_level(logging.DEBUG), pytest.raises((LookupError, IntegrityError)):
            db.transact_now(write)
    assert db.read_now(codes) == ["TAKEN"]
    assert "Jane" not in caplog.text


def test_who_watches_sees_every_statement_also_in_a_pipeline(db: Database) -> None:
    sent: list[str] = []

    def write(connection: Connection) -> int:
        event.listen(connection, "before_cursor_execute", lambda _c, _k, told, *_: sent.append(told))
        with pipelined(connection):
            added = _add(connection, added=[("A", "one"), ("B", "two")])
            expect(added, 2, _stale)
            return added.rowcount

    assert db.transact_now(write) == 2
    assert len(sent) == 1


def test_a_statement_that_takes_too_long_is_told_as_such(db: Database) -> None:
    _on_postgresql(db)

    def write(connection: Connection) -> None:
        with pipelined(connection):
            connection.execute(text("SET LOCAL statement_timeout = 50"))
            _sleep(connection, seconds=30)
            _add(connection, added=[("A", "one")])

    for _ in range(2):
        with pytest.raises(OperationalError, match="pg_sleep") as caught:
            db.transact_now(write)
        assert getattr(caught.value.orig, "sqlstate", None) == "57014"
    assert db.read_now(codes) == []


def test_a_lost_connection_is_worth_repeating_and_the_next_one_is_good(db: Database) -> None:
    _on_postgresql(db)
    tried = 0

    def write(connection: Connection) -> None:
        nonlocal tried
        tried += 1
        with pipelined(connection):
            _add(connection, added=[("A", "one")])
            if tried == 1:
                pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                db.read_now(lambda other: other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}))
            _rename(connection, renamed=[("A", "two")])

    db.transact_now(write)

    assert tried == 2
    assert db.read_now(codes) == ["A"]


def test_a_lost_connection_is_told_as_one(db: Database) -> None:
    _on_postgresql(db)

    def write(connection: Connection) -> None:
        with pipelined(connection):
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            db.read_now(lambda other: other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}))
            _add(connection, added=[("A", "one")])
            _rename(connection, renamed=[("A", "two")])

    with pytest.raises(DBAPIError) as caught, db.writer.begin() as connection:
        write(connection)

    assert caught.value.connection_invalidated
    assert worth_repeating(caught.value)


def test_a_connection_that_is_lost_when_all_is_answered_is_told_and_repeated_as_one(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last answer and the pipeline's end there is one more exchange with the server."""
    _on_postgresql(db)
    import psycopg  # only who has PostgreSQL loads its driver

    lost: list[DBAPIError] = []
    ended: list[int] = []
    leave = psycopg.Pipeline.__exit__

    def lose_it_first(pipeline: psycopg.Pipeline, *left: Any) -> None:
        pid = pipeline._conn.info.backend_pid
        if not ended:
            ended.append(pid)
            db.read_now(lambda other: other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid}))
        leave(pipeline, *left)

    def write(connection: Connection) -> None:
        try:
            with pipelined(connection):
                _add(connection, added=[("A", "one")])
        except DBAPIError as err:
            lost.append(err)
            raise

    monkeypatch.setattr(psycopg.Pipeline, "__exit__", lose_it_first)
    db.transact_now(write)

    assert [err.connection_invalidated for err in lost] == [True]
    assert db.read_now(codes) == ["A"]


def test_a_value_that_the_driver_cannot_read_is_no_lost_connection(db: Database) -> None:
    _on_postgresql(db)
    import psycopg  # only who has PostgreSQL loads its driver

    tried = 0

    def write(connection: Connection) -> None:
        nonlocal tried
        tried += 1
        with pipelined(connection):
            _add(connection, added=[("A", "one")])
            _beyond_all_years(connection).scalar_one()

    with pytest.raises(psycopg.DataError):
        db.transact_now(write)

    assert tried == 1
    assert db.read_now(codes) == []


def test_ids_taken_are_nobody_elses(db: Database) -> None:
    ids = NextIds(sku)
    db.transact_now(add_sku, "FIRST")

    def take(connection: Connection) -> list[int]:
        taken = list(ids.take(connection, 3))
        insert_rows(
            connection, sku, [("id", int), ("code", str), ("title", str)], [(each, f"S{each}", "") for each in taken]
        )
        return taken

    first, second = db.transact_now(take), db.transact_now(take)
    db.transact_now(add_sku, "LAST")

    assert first == sorted(first)
    assert not set(first) & set(second)
    assert len(db.read_now(codes)) == 8
