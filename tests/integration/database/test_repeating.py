"""Trouble that passes is tried again, and other trouble is not."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, make_url, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from syncd.db import engine as engines
from syncd.db.database import Database, StaleLoad, worth_repeating
from syncd.db.tables import sku, warehouse
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.integration.database.skus import add_sku, codes


async def test_a_stale_load_is_repeated_from_the_start(db: Database) -> None:
    tries: list[list[str]] = []

    def stale_at_first(connection: Connection) -> str:
        tries.append(codes(connection))
        add_sku(connection, "RED-CLOCK")
        if len(tries) == 1:
            raise StaleLoad
        return "done"

    assert await db.transact(stale_at_first) == "done"

    assert tries == [[], []], "the first try left nothing behind"


async def test_what_stays_stale_is_given_up(db: Database) -> None:
    tries = 0

    def always_stale(_: Connection) -> None:
        nonlocal tries
        tries += 1
        raise StaleLoad

    with pytest.raises(StaleLoad):
        await db.transact(always_stale)

    assert tries == 4


async def test_other_errors_are_not_repeated(db: Database) -> None:
    tries = 0

    def wrong(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        connection.execute(insert(sku).values(code="RED-CLOCK", safety_stock=-1))

    with pytest.raises(IntegrityError):
        await db.transact(wrong)

    assert tries == 1


@contextmanager
def somebody_writes(url: str) -> Iterator[sqlite3.Connection]:
    """Another process's write transaction, as long as this lasts."""
    name = make_url(url).database
    assert name is not None
    other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield other
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives a busy database up at once, so that it is our repeating that is tested. Ask for it before `db`."""
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 1)


@ON_SQLITE
@pytest.mark.usefixtures("impatient")
async def test_a_busy_database_is_tried_again(db: Database) -> None:
    with somebody_writes(db.url) as other:
        adding = asyncio.create_task(db.transact(add_sku, "RED-CLOCK"))
        await asyncio.sleep(0.1)
        assert not adding.done()
        other.execute("COMMIT")
        await adding

    assert await db.read(codes) == ["RED-CLOCK"]


@ON_SQLITE
@pytest.mark.usefixtures("impatient")
async def test_a_database_that_stays_busy_is_given_up_and_works_again_later(db: Database) -> None:
    with somebody_writes(db.url):
        with pytest.raises(OperationalError, match="locked"):
            await db.transact(add_sku, "RED-CLOCK")
        assert await db.read(codes) == [], "readers are not disturbed"

    await db.transact(add_sku, "RED-CLOCK")
    assert await db.read(codes) == ["RED-CLOCK"]


@ON_SQLITE
async def test_a_short_wait_is_left_to_sqlite_itself(db: Database) -> None:
    begun = 0

    @event.listens_for(db.writer, "begin")
    def count(_: Connection) -> None:
        nonlocal begun
        begun += 1

    with somebody_writes(db.url) as other:
        adding = asyncio.create_task(db.transact(add_sku, "RED-CLOCK"))
        await asyncio.sleep(0.2)
        other.execute("COMMIT")
        await adding

    assert begun == 1


@ON_SQLITE
async def test_a_snapshot_that_was_overtaken_is_busy_too(db: Database) -> None:
    """SQLite says so by an extended code; a transaction that only reads first would get it."""
    tries = 0

    def read_then_write(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN")
            codes(connection)
            with somebody_writes(db.url) as other:
                other.execute("INSERT INTO sku (code) VALUES ('BLUE-CLOCK')")
                other.execute("COMMIT")
        add_sku(connection, "RED-CLOCK")

    await db.transact(read_then_write)

    assert tries == 2
    assert await db.read(codes) == ["BLUE-CLOCK", "RED-CLOCK"]


def add_places(connection: Connection) -> None:
    for key in ("hamburg", "berlin"):
        where = {"country": "DE", "postcode": "20095", "time_zone": "Europe/Berlin"}
        connection.execute(insert(warehouse).values(key=key, name="", kind="own", **where))


def rename(connection: Connection, key: str, more: str) -> None:
    connection.execute(update(warehouse).where(warehouse.c.key == key).values(name=warehouse.c.name + more))


def names(connection: Connection) -> dict[str, str]:
    return {row.key: row.name for row in connection.execute(select(warehouse.c.key, warehouse.c.name))}


@ON_POSTGRESQL
async def test_the_loser_of_a_deadlock_repeats(db: Database) -> None:
    await db.transact(add_places)
    both_hold_one = threading.Barrier(2, timeout=10)
    tries: list[str] = []

    def cross(connection: Connection, first: str, second: str) -> None:
        tries.append(first)
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
        rename(connection, first, first[0])
        if len(tries) <= 2:
            both_hold_one.wait()
        rename(connection, second, first[0])

    await asyncio.gather(db.transact(cross, "hamburg", "berlin"), db.transact(cross, "berlin", "hamburg"))

    assert len(tries) == 3, "one of them was chosen as the victim and came again"
    assert {key: sorted(name) for key, name in (await db.read(names)).items()} == {
        "hamburg": ["b", "h"],
        "berlin": ["b", "h"],
    }


@ON_POSTGRESQL
async def test_a_serialization_failure_is_repeated(db: Database) -> None:
    await db.transact(add_places)
    tries: list[str] = []

    def read_then_rename(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tries.append(names(connection)["hamburg"])
        if len(tries) == 1:
            db.transact_now(rename, "hamburg", "theirs ")
        rename(connection, "hamburg", "ours")

    await db.transact(read_then_rename)

    assert tries == ["", "theirs "]
    assert (await db.read(names))["hamburg"] == "theirs ours"


@ON_POSTGRESQL
async def test_a_connection_that_was_cut_is_opened_again(db: Database) -> None:
    tries = 0

    def cut_at_first(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_sku(connection, "RED-CLOCK")
        if tries == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    await db.transact(cut_at_first)

    assert tries == 2
    assert await db.read(codes) == ["RED-CLOCK"]


def ended_by_the_server(driver: Any) -> None:
    driver.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def gone_without_a_word(driver: Any) -> None:
    driver.close()
    driver.execute("SELECT 1")


@ON_POSTGRESQL
@pytest.mark.parametrize("lose", [ended_by_the_server, gone_without_a_word])
async def test_a_connection_that_is_lost_while_it_is_set_up_is_opened_again(
    db: Database, lose: Callable[[Any], None]
) -> None:
    db.writer.dispose()
    opened = 0

    @event.listens_for(db.writer, "connect")
    def lose_the_first(driver: Any, _: object) -> None:
        nonlocal opened
        opened += 1
        if opened == 1:
            lose(driver)

    await db.transact(add_sku, "RED-CLOCK")

    assert opened == 2
    assert await db.read(codes) == ["RED-CLOCK"]


@ON_POSTGRESQL
async def test_a_connection_that_is_never_to_be_had_is_given_up(db: Database) -> None:
    db.writer.dispose()
    opened = 0

    @event.listens_for(db.writer, "connect")
    def lose_it(driver: Any, _: object) -> None:
        nonlocal opened
        opened += 1
        gone_without_a_word(driver)

    with pytest.raises(OperationalError):
        await db.transact(add_sku, "RED-CLOCK")

    assert opened == 4


@ON_POSTGRESQL
def test_what_a_driver_finds_wrong_itself_is_repeated_only_where_nothing_had_begun(db: Database) -> None:
    import psycopg  # only who has PostgreSQL loads its driver

    def told(err: psycopg.Error, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
        return kind(None, None, err)

    refused = told(psycopg.OperationalError("connection refused"))
    assert worth_repeating(refused, begun=False)
    assert not worth_repeating(refused)
    assert not worth_repeating(told(psycopg.DataError("no NUL"), DataError), begun=False)
    assert not worth_repeating(told(psycopg.errors.ConnectionTimeout("two minutes")), begun=False)
    assert not worth_repeating(told(psycopg.errors.QueryCanceled("too long")))
    assert worth_repeating(told(psycopg.errors.AdminShutdown("shutting down")))
    assert worth_repeating(told(psycopg.errors.ConnectionFailure("broken")))
