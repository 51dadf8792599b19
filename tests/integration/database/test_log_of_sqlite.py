"""SQLite's write-ahead log: large enough to gather what is written again and again, and bounded all the same."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, make_url, text

from syncd.db.database import Database
from syncd.db.tables import tally
from tests.integration.conftest import ON_SQLITE

LOG_BYTES = 4_000 * 4_120  # pages with their headers
LARGE = "x" * 200_000


def write_much(connection: Connection, number: int) -> None:
    connection.execute(insert(tally).values(scope=LARGE, name=str(number), n=1))
    connection.execute(text("DELETE FROM tally"))


@ON_SQLITE
def test_the_log_is_used_again_once_it_is_full(db: Database) -> None:
    path = make_url(db.url).database
    assert path is not None
    log = Path(f"{path}-wal")

    for number in range(300):
        with db.writer.begin() as connection:
            write_much(connection, number)

    assert LOG_BYTES / 2 < log.stat().st_size < LOG_BYTES * 1.2, "written several times over"
