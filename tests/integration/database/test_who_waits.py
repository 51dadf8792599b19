"""Whether anybody waits for the writer: what makes batches of orders short."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from sqlalchemy import Connection

from syncd.db.database import Database
from tests.integration.database.skus import add_sku

LONG_S = 0.03


@pytest.mark.parametrize("way", ["transact", "transact_ahead"])
async def test_what_waits_behind_a_long_transaction_is_seen_on_sqlite_and_waits_for_nothing_on_postgresql(
    db: Database, way: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def long(connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)
        add_sku(connection, "LONG")

    working = asyncio.create_task(db.transact(long))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.create_task(getattr(db, way)(add_sku, "WAITING"))
    await asyncio.sleep(LONG_S)
    go_on.set()
    await asyncio.gather(working, waiting)

    assert db.others_wait() == (db.writer.dialect.name == "sqlite")


async def test_one_after_another_nobody_waits(db: Database) -> None:
    def long(connection: Connection, code: str) -> None:
        time.sleep(LONG_S)
        add_sku(connection, code)

    for code in ("RED-CLOCK", "BLUE-CLOCK"):
        await db.transact(long, code)

    assert not db.others_wait()
