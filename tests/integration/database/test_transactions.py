"""Transactions are whole, whatever happens to their callers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from syncd.db.database import Database, DatabaseClosed
from syncd.db.tables import sku, tally
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.integration.database.skus import add_sku, codes

# --- transactions ------------------------------------------------------------------------------------------------


async def test_a_transaction_is_committed_before_its_caller_goes_on(db: Database) -> None:
    told = await db.transact(add_sku, "RED-CLOCK")

    assert told == "RED-CLOCK"
    assert await db.read(codes) == ["RED-CLOCK"]


async def test_a_failing_transaction_leaves_nothing_behind(db: Database) -> None:
    def fail_late(connection: Connection) -> None:
        add_sku(connection, "RED-CLOCK")
        connection.execute(insert(tally).values(scope="syncd", name="orders", n=1))
        raise LookupError("the last step")

    with pytest.raises(LookupError, match="the last step"):
        await db.transact(fail_late)

    assert await db.read(codes) == []
    assert await db.read(lambda connection: connection.execute(select(tally)).all()) == []


async def test_a_statement_that_fails_takes_the_whole_transaction_with_it(db: Database) -> None:
    def twice(connection: Connection) -> None:
        add_sku(connection, "BLUE-CLOCK")
        add_sku(connection, "RED-CLOCK")
        add_sku(connection, "RED-CLOCK")

    with pytest.raises(IntegrityError):
        await db.transact(twice)

    assert await db.read(codes) == []


async def test_what_goes_ahead_waits_for_one_writer_at_the_most(db: Database) -> None:
    """SQLite's own turn, which cannot be cut short, and on PostgreSQL for none, however many are busy."""
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def long(connection: Connection, code: str) -> None:
        begun.set()
        assert go_on.wait(10)
        add_sku(connection, code)

    async def notes(name: str, work: Awaitable[Any]) -> None:
        await work
        done.append(name)

    busy = [asyncio.create_task(notes("usual", db.transact(long, f"SKU-{n}"))) for n in range(6)]
    assert await asyncio.to_thread(begun.wait, 10)
    ahead = asyncio.create_task(notes("ahead", db.transact_ahead(add_sku, "AHEAD")))
    if db.writer.dialect.name == "sqlite":
        await asyncio.sleep(0.05)
        go_on.set()
    await asyncio.wait_for(ahead, 10)
    go_on.set()
    await asyncio.gather(*busy)

    assert done.index("ahead") <= (1 if db.writer.dialect.name == "sqlite" else 0)
    assert len(await db.read(codes)) == 7


async def test_what_goes_ahead_fails_like_everything_else(db: Database) -> None:
    await db.transact_ahead(add_sku, "RED-CLOCK")
    with pytest.raises(IntegrityError):
        await db.transact_ahead(add_sku, "RED-CLOCK")

    db.close()
    with pytest.raises(DatabaseClosed):
        await db.transact_ahead(add_sku, "BLUE-CLOCK")


def test_the_command_lines_way_in_commits_and_rolls_back_alike(db: Database) -> None:
    assert db.transact_now(add_sku, "RED-CLOCK") == "RED-CLOCK"
    with pytest.raises(IntegrityError):
        db.transact_now(add_sku, "RED-CLOCK")

    assert db.read_now(codes) == ["RED-CLOCK"]


async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError):
        await db.read(add_sku, "RED-CLOCK")
    with pytest.raises(DBAPIError):
        db.read_now(add_sku, "RED-CLOCK")

    assert await db.read(codes) == []


async def test_a_read_sees_one_moment_whatever_is_written_meanwhile(db: Database) -> None:
    await db.transact(add_sku, "RED-CLOCK")

    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = codes(connection)
        db.transact_now(add_sku, "BLUE-CLOCK")
        return before, codes(connection)

    before, after = await db.read(twice)

    assert before == after == ["RED-CLOCK"]
    assert await db.read(codes) == ["BLUE-CLOCK", "RED-CLOCK"]


def test_references_and_checks_are_enforced(db: Database) -> None:
    def orphan(connection: Connection) -> None:
        connection.execute(text("INSERT INTO sku_alias (normalised_code, sku_id) VALUES ('red', 77)"))

    def negative(connection: Connection) -> None:
        connection.execute(insert(sku).values(code="RED-CLOCK", safety_stock=-1))

    for wrong in (orphan, negative):
        with pytest.raises(IntegrityError):
            db.transact_now(wrong)


@ON_SQLITE
def test_sqlite_is_set_up_to_survive_a_power_cut(db: Database) -> None:
    def settings(connection: Connection) -> dict[str, Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}

    written, read = db.transact_now(settings), db.read_now(settings)

    assert written == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": 0}
    assert read == {**written, "query_only": 1}


@ON_POSTGRESQL
def test_postgresql_is_set_up_to_end_what_hangs(db: Database) -> None:
    def settings(connection: Connection) -> tuple[str, ...]:
        names = ("transaction_isolation", "transaction_read_only", "statement_timeout", "lock_timeout")
        return tuple(connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names)

    assert db.transact_now(settings) == ("read committed", "off", "20s", "5s")
    assert db.read_now(settings) == ("repeatable read", "on", "20s", "5s")


async def test_a_closed_database_says_so(db: Database) -> None:
    db.close()

    with pytest.raises(DatabaseClosed):
        await db.transact(add_sku, "RED-CLOCK")


# --- cancelled callers -------------------------------------------------------------------------------------------


class Gate:
    """A transaction that has begun and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def add(self, connection: Connection, code: str) -> None:
        add_sku(connection, code)
        self.begun.set()
        assert self.go.wait(10), "nobody opened the gate"


@contextmanager
def every_writer_busy(db: Database, workers: int) -> Iterator[list[asyncio.Task[None]]]:
    """No thread is free to begin anything: what is handed over now waits."""
    gates = [Gate() for _ in range(workers)]
    tasks = [asyncio.create_task(db.transact(gate.add, f"BUSY-{n}")) for n, gate in enumerate(gates)]
    try:
        yield tasks
    finally:
        for gate in gates:
            gate.go.set()


async def test_a_cancelled_caller_withdraws_work_that_has_not_begun(db: Database) -> None:
    workers = 1 if db.writer.dialect.name == "sqlite" else 4
    ran: list[str] = []

    def note(connection: Connection) -> None:
        ran.append(add_sku(connection, "WITHDRAWN"))

    with every_writer_busy(db, workers) as busy:
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(db.transact(note))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.gather(*busy)

    await db.transact(add_sku, "LATER")
    assert ran == []
    assert await db.read(codes) == [*(f"BUSY-{n}" for n in range(workers)), "LATER"]


async def test_work_that_has_begun_is_finished_without_its_caller(db: Database) -> None:
    gate = Gate()
    caller = asyncio.create_task(db.transact(gate.add, "RED-CLOCK"))
    assert await asyncio.to_thread(gate.begun.wait, 10)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.go.set()

    await until(lambda: db.read_now(codes) == ["RED-CLOCK"])


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.02)


async def test_closing_waits_for_work_that_has_begun(db: Database) -> None:
    gate = Gate()
    adding = asyncio.create_task(db.transact(gate.add, "RED-CLOCK"))
    assert await asyncio.to_thread(gate.begun.wait, 10)

    closing = asyncio.create_task(asyncio.to_thread(db.close))
    await asyncio.sleep(0.05)
    assert not closing.done()
    gate.go.set()

    await asyncio.gather(closing, adding)
    reopened = Database(db.url)
    assert reopened.read_now(codes) == ["RED-CLOCK"]
    reopened.close()
