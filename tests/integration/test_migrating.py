"""A database with a seller's rows in it is migrated while others use it, and loses nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Connection, Engine, LargeBinary, MetaData, Table, Text, insert, make_url, select, text

from syncd.db import engine as engines
from syncd.db import migrate as migrations
from syncd.db.engine import migration_engine, writer_engine
from syncd.db.migrate import SchemaError, migrate, newest_revision
from tests.integration.test_migrations import definitions, made_from_the_code, reading, without_alembic
from tests.support import postgres

ROWS = 40


@pytest.fixture
def postgresql() -> Iterator[str]:
    made = postgres.create_database()
    yield made
    postgres.drop_database(made)


# --- a filled database ----------------------------------------------------------------------------------------


def fill(connection: Connection) -> None:
    """Rows in every table, with something in every column, and nothing in every other one that may be empty."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name != "alembic_version":
            for number in range(1, ROWS + 1):
                connection.execute(insert(table).values({c.name: a_value(c, number) for c in table.columns}))


def a_value(column: Column[Any], number: int) -> Any:
    if column.primary_key and not column.foreign_keys and not isinstance(column.type, Text):
        return number
    if column.nullable and number % 2:
        return None
    if column.foreign_keys:
        return number
    words = words_of(column.table, column.name)
    if words:
        return words[number % len(words)]
    if isinstance(column.type, LargeBinary):
        return b"\x00\xff" * number
    if isinstance(column.type, Text):
        return f"{column.name} {number} ö"
    if column.name == "on_hand":
        return 3 + number % 5
    return 1000 + number if column.name.endswith("_at") else 1 + number % 3


def words_of(table: Table, column: str) -> list[str]:
    """The values that a check allows, if one lists them."""
    for check in table.constraints:
        told = str(getattr(check, "sqltext", ""))
        if re.match(rf"\(*{column}\b", told) and re.search(r"\bIN \(|ANY", told):
            return re.findall(r"'([a-z_0-9]+)'", told)
    return []


def rows_of(connection: Connection, tables: list[Table]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of these tables, by the columns they have there."""
    return {table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr) for table in tables}


def test_a_filled_database_of_0006_comes_to_the_newest_schema_with_every_row(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, "0006")
    engine = writer_engine(empty_url)
    before = MetaData()
    with engine.begin() as connection:
        fill(connection)
    with engine.connect() as connection:
        before.reflect(connection)
        tables = [table for table in before.sorted_tables if table.name != "alembic_version"]
        rows = rows_of(connection, tables)
    engine.dispose()

    assert migrate(empty_url) == ("0006", newest_revision())

    with reading(empty_url) as connection:
        assert rows_of(connection, tables) == rows
        assert {len(each) for each in rows.values()} == {ROWS}
        low = {row.sku_id: row.low for row in connection.execute(text("SELECT sku_id, low FROM level"))}
        told = connection.execute(
            text("SELECT sku_id, reserved > 0 AND on_hand - unavailable <= 2 * reserved FROM level")
        )
        assert set(low.values()) == {0, 1}
        assert low == {sku_id: int(is_low) for sku_id, is_low in told}
        migrated = without_alembic(definitions(connection))
    with made_from_the_code(empty_url, tmp_path) as other, reading(other) as connection:
        assert migrated == definitions(connection)


# --- beside a daemon that runs --------------------------------------------------------------------------------


@contextmanager
def beside(empty_url: str) -> Iterator[psycopg.Connection[Any]]:
    address = make_url(empty_url)
    with psycopg.connect(host=str(address.query["host"]), user="postgres", dbname=address.database) as other:
        yield other


@pytest.mark.postgres
def test_a_migration_may_take_long_but_waits_for_no_lock_for_long(postgresql: str) -> None:
    def settings(engine: Engine) -> tuple[str, ...]:
        with engine.connect() as connection:
            names = ("statement_timeout", "lock_timeout")
            found = tuple(str(connection.execute(text(f"SHOW {each}")).scalar_one()) for each in names)
        engine.dispose()
        return found

    assert settings(migration_engine(postgresql)) == ("0", "3s")
    assert settings(writer_engine(postgresql)) == ("20s", "5s")


@pytest.mark.postgres
def test_a_lock_that_somebody_holds_for_a_while_is_tried_for_again(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgresql, "0010")
    monkeypatch.setattr(engines, "_MIGRATION_LOCK_TIMEOUT_MS", 20)
    waits: list[float] = []
    with beside(postgresql) as other:
        other.execute("LOCK TABLE level IN ROW EXCLUSIVE MODE")

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                other.commit()

        monkeypatch.setattr(migrations, "sleep", wait)
        assert migrate(postgresql) == ("0010", newest_revision())

    assert waits == [0.5, 1.0, 1.5]


@pytest.mark.postgres
def test_orders_come_in_while_the_indexes_of_large_tables_are_made(postgresql: str) -> None:
    """Somebody's open transaction keeps an index from being finished; a plain one would keep everybody else out."""
    migrate(postgresql, "0011")
    event = (
        "INSERT INTO account (id, key, channel, policy, added_at, state_changed_at)"
        " VALUES ({0}, 'shop{0}', 'shopify', 'priority', 1, 1)"
    )
    sku = "INSERT INTO sku (code) VALUES ('{0}')"
    done: list[Any] = []
    with beside(postgresql) as slow, beside(postgresql) as daemon, beside(postgresql) as looking:
        slow.execute(sku.format("SLOW"))
        slow.execute("INSERT INTO level (sku_id, warehouse_id) SELECT 1, 1 WHERE false")
        migrating = threading.Thread(target=lambda: done.append(migrate(postgresql)))
        migrating.start()
        looking.autocommit = True
        until_it(looking, "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")

        daemon.execute("SET lock_timeout = '2s'")
        daemon.execute(event.format(1))
        daemon.execute("INSERT INTO level (sku_id, warehouse_id) SELECT 1, 1 WHERE false")
        daemon.commit()
        assert not done
        slow.commit()
        migrating.join(60.0)

    assert done == [("0011", newest_revision())]
    with reading(postgresql) as connection:
        invalid = connection.execute(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")).scalar_one()
        assert invalid == 0


def until_it(connection: psycopg.Connection[Any], query: str) -> None:
    """Wait until a query finds something."""
    for _ in range(3000):
        if connection.execute(query).fetchone():
            return
        connection.execute("SELECT pg_sleep(0.01)")
    raise AssertionError(f"{query} finds nothing")


@pytest.mark.postgres
def test_an_index_that_was_left_broken_is_made_anew(postgresql: str) -> None:
    migrate(postgresql, "0011")
    with beside(postgresql) as other:
        other.execute("CREATE INDEX ix_level_low ON level (on_hand)")
        other.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_level_low'::regclass")

    migrate(postgresql)

    with reading(postgresql) as connection:
        made = "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_level_low'"
        assert connection.execute(text(made)).scalar_one().endswith("(sku_id) WHERE (low = 1)")


@pytest.mark.postgres
def test_two_do_not_migrate_at_once(postgresql: str) -> None:
    with beside(postgresql) as other:
        other.execute(f"SELECT pg_advisory_lock({migrations._ADVISORY_KEY})")

        with pytest.raises(SchemaError, match="is being migrated by somebody else: wait for that"):
            migrate(postgresql)

    assert migrate(postgresql)[1] == newest_revision()


# --- what a reservation writes --------------------------------------------------------------------------------

_FILL = (
    "INSERT INTO sku (id, code) SELECT i, 'SKU-' || i FROM generate_series(1, 2000) AS i",
    "INSERT INTO warehouse (id, key, name, kind, country, postcode, time_zone)"
    " VALUES (1, 'main', 'Main', 'own', 'US', '10001', 'UTC')",
    "INSERT INTO level (sku_id, warehouse_id, on_hand) SELECT i, 1, 100 FROM generate_series(1, 2000) AS i",
    "VACUUM FULL level",
)
_RESERVE = "UPDATE level SET reserved = reserved + 1, seq = seq + 1 WHERE sku_id % 10 = {0}"


def share_of_hot_updates(empty_url: str) -> float:
    """A thousand reservations of two thousand SKUs with enough of each: how many wrote no index."""
    with beside(empty_url) as other:
        other.autocommit = True
        for statement in _FILL:
            other.execute(statement)
        other.execute("SELECT pg_stat_reset()")
        for digit in (1, 2, 3, 4, 5):
            other.execute(_RESERVE.format(digit))
        other.execute("SELECT pg_stat_force_next_flush()")
        until_it(other, "SELECT 1 FROM pg_stat_user_tables WHERE relname = 'level' AND n_tup_upd = 1000")
        told = other.execute(
            "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'level'"
        ).fetchone()
    assert told is not None
    return float(told[0]) / float(told[1])


@pytest.mark.postgres
@pytest.mark.parametrize(("revision", "least", "most"), [("0008", 0.0, 0.0), ("head", 0.95, 1.0)])
def test_a_reservation_writes_no_index_of_a_level(postgresql: str, revision: str, least: float, most: float) -> None:
    """With the index of 0008 every one did: it stood over the reserved quantity."""
    migrate(postgresql, revision)

    assert least <= share_of_hot_updates(postgresql) <= most
