"""The schema in the database is the one in the code, on both engines; any other is refused with a remedy."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, Engine, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from syncd import config as settings
from syncd import resources
from syncd.bootstrap import DatabaseMissing, open_database
from syncd.db import engine as engines
from syncd.db import migrate as migrations
from syncd.db.database import Database
from syncd.db.engine import is_sqlite, reader_engine, writer_engine
from syncd.db.migrate import SchemaError, current_revision, migrate, newest_revision, require_current
from syncd.db.tables import metadata, movement
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.support import postgres
from tests.support.builders import a_seller, an_order


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    engine = reader_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def does(url: str, *statements: str) -> None:
    """Change a database as no code of ours would."""
    engine = writer_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def tables_of(url: str) -> set[str]:
    with reading(url) as connection:
        return set(inspect(connection).get_table_names())


def opening(url: str, folder: Path) -> Database:
    """Open a database as every command does, from a configuration."""
    path = folder / "syncd.toml"
    path.write_text(f'[database]\nurl = "{url}"\n')
    return open_database(settings.load(path))


# --- the schema -----------------------------------------------------------------------------------------------


def definitions(connection: Connection) -> set[tuple[str, ...]]:
    """Every table's columns, constraints and indexes as the database itself words them."""
    if connection.dialect.name == "sqlite":
        return set(_sqlite_definitions(connection))
    return {tuple(map(str, row)) for query in _POSTGRESQL for row in connection.execute(text(query))}


def _sqlite_definitions(connection: Connection) -> Iterator[tuple[str, ...]]:
    query = "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')"
    for row in connection.execute(text(query)):
        if row.type == "index":
            yield (row.type, row.tbl_name, " ".join(row.sql.split()))
            continue
        for part in _parts(row.sql):
            yield (row.type, row.tbl_name, part)


def _parts(statement: str) -> Iterator[str]:
    """The columns and constraints of a CREATE TABLE; a column that was added later stands where SQLite put it."""
    body = statement[statement.index("(") + 1 : statement.rindex(")")]
    depth = begin = 0
    for at, letter in enumerate(body):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield " ".join(body[begin:at].split())
            begin = at + 1
    yield " ".join(body[begin:].split())


_POSTGRESQL = (
    "SELECT 'column', table_name, column_name, data_type, is_nullable, column_default, is_identity"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
)


def without_alembic(found: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {row for row in found if "alembic_version" not in row}


@contextmanager
def made_from_the_code(url: str, folder: Path) -> Iterator[str]:
    """A second database of the same kind, created from the tables in the code alone."""
    other = f"sqlite:///{folder / 'from-code.db'}" if is_sqlite(url) else postgres.create_database()
    engine = writer_engine(other)
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
    finally:
        engine.dispose()
    yield other
    if not is_sqlite(url):
        postgres.drop_database(other)


def test_alembic_finds_nothing_to_migrate(database_url: str) -> None:
    with reading(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_what_alembic_cannot_compare_is_the_same_too(database_url: str, tmp_path: Path) -> None:
    """Checks, conditions of partial indexes, defaults: what the migrations wrote is what the code would write."""
    with reading(database_url) as connection:
        migrated = without_alembic(definitions(connection))

    with made_from_the_code(database_url, tmp_path) as other, reading(other) as connection:
        from_code = definitions(connection)

    assert len(migrated) > 200, "it compares something"
    assert migrated - from_code == set()
    assert from_code - migrated == set()


def test_every_table_index_and_check_has_its_name_in_the_database(database_url: str) -> None:
    with reading(database_url) as connection:
        inspector = inspect(connection)
        assert set(inspector.get_table_names()) == {*metadata.tables, "alembic_version"}
        for name, table in metadata.tables.items():
            wanted = {constraint.name for constraint in table.constraints if isinstance(constraint, CheckConstraint)}
            assert {check["name"] for check in inspector.get_check_constraints(name)} == wanted, name
            indexes = {index.name for index in table.indexes}
            assert indexes <= {index["name"] for index in inspector.get_indexes(name)}, name


def test_partial_indexes_are_partial(database_url: str) -> None:
    partial = {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        if is_sqlite(database_url)
        else "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
    )

    with reading(database_url) as connection:
        found = set(connection.execute(text(query)).scalars())

    assert found >= partial
    assert {"uq_alert_open", "uq_shortage_open", "uq_shortage_open_unmapped", "ix_inbox_new"} <= partial


def test_both_engines_have_the_same_conditions() -> None:
    for table in metadata.tables.values():
        for index in table.indexes:
            conditions = [str(index.dialect_options[name]["where"]) for name in ("sqlite", "postgresql")]
            assert conditions[0] == conditions[1], index.name


def test_the_ledger_cannot_be_rewritten(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order())

    for wrong in ("UPDATE movement SET d_on_hand = 9", "DELETE FROM movement"):
        with pytest.raises(DBAPIError, match="append-only"):
            seller.does(wrong)

    assert len(seller.rows("SELECT * FROM movement")) == 2


def test_archived_movements_may_be_deleted_and_no_others(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order())
    seller.does("UPDATE level SET archived_seq = 1")

    seller.does("DELETE FROM movement WHERE seq = 1")
    with pytest.raises(DBAPIError, match="append-only"):
        seller.does("DELETE FROM movement WHERE seq = 2")

    left = db.read_now(lambda connection: connection.execute(select(movement.c.seq)).scalars().all())
    assert left == [2]


def test_the_database_itself_refuses_a_reservation_that_nothing_covers(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})

    with pytest.raises(IntegrityError, match="ck_level_covered"):
        seller.does("UPDATE level SET reserved = 6")
    seller.does("UPDATE level SET reserved = 5")

    assert seller.level().available == 0


# --- migrating ------------------------------------------------------------------------------------------------


def test_an_empty_database_is_brought_to_the_newest_schema(empty_url: str) -> None:
    before, after = migrate(empty_url)

    assert (before, after) == (None, newest_revision())
    assert tables_of(empty_url) >= set(metadata.tables)


def test_the_inbox_and_its_orders_survive_the_newest_migration(empty_url: str) -> None:
    migrate(empty_url, "0001")
    account = "(id, key, channel, policy, added_at, state_changed_at) VALUES (1, 'shop', 'shopify', 'priority', 1, 1)"
    event = (
        "INSERT INTO inbox (account_id, event_key, topic, way, body, received_at) VALUES (1, '{0}', 'x', '{0}', '', 1)"
    )
    order = (
        "(id, account_id, channel_order_id, name, state, way, digest, version_at, placed_at, first_applied_at)"
        " VALUES (1, 1, '1001', '#1001', 'open', 'webhook', '', 1, 1, 1)"
    )
    line = "(order_id, channel_line_id, quantity, placed_at) VALUES (1, '1', 2, 1)"
    does(empty_url, f"INSERT INTO account {account}", event.format("webhook"))
    does(empty_url, f"INSERT INTO sales_order {order}", f"INSERT INTO order_line {line}")

    assert migrate(empty_url) == ("0001", newest_revision())

    does(empty_url, event.format("queue"))
    with reading(empty_url) as connection:
        ways = connection.execute(text("SELECT event_key, way FROM inbox ORDER BY id")).all()
        lines = connection.execute(text("SELECT quantity, by_channel FROM order_line")).all()
    assert [tuple(row) for row in ways] == [("webhook", "webhook"), ("queue", "queue")]
    assert [tuple(row) for row in lines] == [(2, 0)]
    with pytest.raises(IntegrityError, match="ck_inbox_way"):
        does(empty_url, event.format("pigeon"))


def test_migrating_again_changes_nothing(database_url: str) -> None:
    does(database_url, "INSERT INTO sku (code) VALUES ('RED-CLOCK')")
    with reading(database_url) as connection:
        before = definitions(connection)

    assert migrate(database_url) == (newest_revision(), newest_revision())

    with reading(database_url) as connection:
        assert definitions(connection) == before
        assert connection.execute(text("SELECT code FROM sku")).scalars().all() == ["RED-CLOCK"]


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of a syncd of tomorrow: a copy that a test may add to."""
    copy = tmp_path / "migrations"
    shutil.copytree(resources.folder("migrations"), copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "folder", lambda _: copy)
    return copy


def tomorrow(scripts: Path, *statements: str) -> None:
    body = "\n".join(f"    op.execute({statement!r})" for statement in statements)
    (scripts / "versions" / "9999_test_tomorrow.py").write_text(
        f"from alembic import op\n\nrevision = '9999'\ndown_revision = {newest_revision()!r}\n\n\n"
        f"def upgrade() -> None:\n{body}\n"
    )


def test_a_database_of_yesterday_is_refused_until_it_is_migrated(
    database_url: str, scripts: Path, tmp_path: Path
) -> None:
    today = newest_revision()
    tomorrow(scripts, "ALTER TABLE sku ADD COLUMN colour TEXT")

    with pytest.raises(SchemaError, match=rf"is at {today}, this syncd needs 9999: back it up, then .*syncd migrate"):
        opening(database_url, tmp_path)
    assert migrate(database_url) == (today, "9999")

    opening(database_url, tmp_path).close()


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    database_url: str, scripts: Path, tmp_path: Path
) -> None:
    today = newest_revision()
    does(database_url, "INSERT INTO sku (code) VALUES ('RED-CLOCK')")
    tomorrow(scripts, "CREATE TABLE half (n INTEGER)", "DELETE FROM sku", "INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(SchemaError, match=r"cannot be migrated, and nothing was changed: .*no_such_table"):
        migrate(database_url)

    assert "half" not in tables_of(database_url)
    with reading(database_url) as connection:
        assert connection.execute(text("SELECT code FROM sku")).scalars().all() == ["RED-CLOCK"]
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == today


# --- databases that are refused -------------------------------------------------------------------------------


def test_a_missing_file_is_refused_and_not_created(tmp_path: Path) -> None:
    missing = tmp_path / "syncd.db"

    with pytest.raises(DatabaseMissing, match=r"syncd\.db does not exist: run `syncd migrate -c FILE` first"):
        opening(f"sqlite:///{missing}", tmp_path)

    assert not missing.exists()


def test_a_file_in_a_folder_that_is_not_there_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"cannot be opened: unable to open database file\. .*folder"):
        migrate(f"sqlite:///{tmp_path / 'nowhere' / 'syncd.db'}")


@pytest.mark.postgres
def test_a_database_that_postgresql_does_not_have_is_refused(tmp_path: Path) -> None:
    url = make_url(postgres.create_database())
    missing = url.set(database="nobody_made_it").render_as_string(hide_password=False)

    for refused in (lambda: opening(missing, tmp_path), lambda: migrate(missing)):
        with pytest.raises(SchemaError, match=r"nobody_made_it.*does not exist.*\. .*reach"):
            refused()


def test_a_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://syncd@/syncd?host={tmp_path}"

    with pytest.raises(SchemaError, match=r"cannot be opened: .*\. .*reach"):
        opening(url, tmp_path)


def test_a_database_without_schema_is_refused(empty_url: str, tmp_path: Path) -> None:
    does(empty_url, "CREATE TABLE somebody_elses (n INTEGER)")

    with pytest.raises(SchemaError, match="has no syncd schema yet: run `syncd migrate -c FILE` first"):
        opening(empty_url, tmp_path)

    assert tables_of(empty_url) == {"somebody_elses"}


def test_an_empty_file_is_a_database_without_schema(tmp_path: Path) -> None:
    (tmp_path / "syncd.db").touch()

    with pytest.raises(SchemaError, match="has no syncd schema yet"):
        opening(f"sqlite:///{tmp_path / 'syncd.db'}", tmp_path)


def test_a_database_of_a_newer_syncd_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    does(database_url, "UPDATE alembic_version SET version_num = '9999'")
    advice = "is at 9999, which this syncd does not know: it was written by a newer one. Install that version"

    with pytest.raises(SchemaError, match=advice):
        opening(database_url, tmp_path)
    with pytest.raises(SchemaError, match=advice):
        migrate(database_url)

    with reading(database_url) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


@pytest.mark.parametrize("content", [b"sku,title\nRED-CLOCK,Red Clock\n" * 50, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "stock.csv"
    file.write_bytes(content)
    url = f"sqlite:///{file}"

    for refused in (lambda: opening(url, tmp_path), lambda: migrate(url)):
        with pytest.raises(SchemaError, match=r"stock\.csv cannot be opened: .*\. .*(restore|backup)"):
            refused()

    assert file.read_bytes() == content


@ON_SQLITE
def test_a_file_that_somebody_holds_is_refused_with_what_to_do(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 1)
    other = sqlite3.connect(make_url(database_url).database or "", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    for refused in (lambda: opening(database_url, tmp_path), lambda: migrate(database_url)):
        with pytest.raises(SchemaError, match=r"cannot be opened: database is locked\. .*again"):
            refused()

    other.rollback()
    other.close()
    opening(database_url, tmp_path).close()


@ON_POSTGRESQL
def test_tables_that_somebody_holds_are_refused_and_not_waited_for_for_ever(
    database_url: str, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_MIGRATION_LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_S", 0.001)
    tomorrow(scripts, "ALTER TABLE sku ADD COLUMN colour TEXT")
    address = make_url(database_url)
    with psycopg.connect(host=str(address.query["host"]), user="postgres", dbname=address.database) as other:
        other.execute("LOCK TABLE sku")

        with pytest.raises(SchemaError, match=r"cannot be migrated, and nothing was changed: .*timeout.*locks"):
            migrate(database_url)

    assert migrate(database_url)[1] == "9999"


def test_the_right_schema_is_let_through(database_url: str) -> None:
    engine: Engine = writer_engine(database_url)
    try:
        require_current(engine)
        assert current_revision(engine) == newest_revision()
    finally:
        engine.dispose()


def test_a_refusal_never_shows_a_password() -> None:
    engine: Any = writer_engine("postgresql+psycopg://syncd:sesame@localhost:1/syncd")

    with pytest.raises(SchemaError) as refused:
        current_revision(engine)

    assert "sesame" not in str(refused.value)
