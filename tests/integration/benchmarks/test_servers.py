"""The benchmark's own server waits for the disk, and longer where it is told to."""

from __future__ import annotations

import shutil
import time

import psycopg
import pytest

from benchmarks.book.servers import durable_server
from benchmarks.book.stop import NotMeasured
from benchmarks.book.workers import dsn_of

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
COMMITS = 20
DELAY_MS = 5.0


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_each_commit_takes_so_much_longer_and_nothing_that_makes_it_durable_is_off() -> None:
    with (
        durable_server(DELAY_MS) as server,
        psycopg.connect(dsn_of(server.create_database()), autocommit=True) as connection,
    ):
        switches = [
            row[0]
            for name in ("fsync", "full_page_writes", "synchronous_commit")
            for row in connection.execute(f"SHOW {name}")
        ]
        connection.execute("CREATE TABLE kept (n int)")
        began_s = time.perf_counter()
        for number in range(COMMITS):
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
        took_s = time.perf_counter() - began_s

    assert switches == ["on", "on", "on"]
    assert took_s >= COMMITS * DELAY_MS / 1000


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(NotMeasured, match="needs a C compiler"), durable_server(1.0):
        pass
