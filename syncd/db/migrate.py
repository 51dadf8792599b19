"""Bring a database to the schema of this code, and refuse one that is newer."""

from __future__ import annotations

from time import sleep  # noqa: TID251 - real waiting for a real lock, before any daemon runs
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from syncd.db.engine import is_sqlite, migration_engine
from syncd.db.trouble import explain
from syncd.errors import SyncdError
from syncd.resources import folder

LOCK_ATTEMPTS: Final = 10
LOCK_PAUSE_S: Final = 0.5
_ADVISORY_KEY: Final = 7_796_302_243  # any number that nobody else uses
_NO_LOCK: Final = "55P03"  # PostgreSQL: somebody else holds what a migration needs


class SchemaError(SyncdError):
    """The database's schema is not the one this code works on."""


def _script() -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder("migrations")))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    head = ScriptDirectory.from_config(_script()).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def current_revision(engine: Engine) -> str | None:
    """The revision a database is at; None for one without our schema. Raises SchemaError when it cannot be opened."""
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as err:
        raise SchemaError(f"the database {_shown(engine)} cannot be opened: {explain(err)}") from err


def migrate(url: str, to: str = "head") -> tuple[str | None, str | None]:
    """Apply missing migrations; (before, after). Raises SchemaError when newer than the code, or when one fails.

    SQLite takes all of them or none. PostgreSQL takes them one by one: doing it again goes on behind the last.
    """
    engine = migration_engine(url)
    try:
        before = current_revision(engine)
        _refuse_unknown(engine, before)
        try:
            for attempt in range(1, LOCK_ATTEMPTS + 1):
                try:
                    _upgrade(engine, to)
                    break
                except DBAPIError as err:
                    if attempt == LOCK_ATTEMPTS or getattr(err.orig, "sqlstate", None) != _NO_LOCK:
                        raise
                    sleep(LOCK_PAUSE_S * attempt)
        except DBAPIError as err:
            raise SchemaError(f"{_left(engine, before)}: {explain(err)}") from err
        return before, current_revision(engine)
    finally:
        engine.dispose()


def _upgrade(engine: Engine, to: str) -> None:
    config = _script()
    begun = engine.begin() if engine.dialect.name == "sqlite" else engine.connect()
    with begun as connection:
        if engine.dialect.name == "postgresql":
            _alone(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _alone(connection: Connection) -> None:
    """Keep other migrations away until this connection is closed. Waiting for one would hold up its indexes."""
    taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}).scalar_one()
    connection.commit()
    if not taken:
        raise SchemaError(f"the database {_shown(connection.engine)} is being migrated by somebody else: wait for that")


def _left(engine: Engine, before: str | None) -> str:
    """What a migration that failed has left."""
    now = current_revision(engine)
    if now == before:
        return f"the database {_shown(engine)} cannot be migrated, and nothing was changed"
    return (
        f"the database {_shown(engine)} is migrated to {now} and cannot go further, but migrating again goes on there"
    )


def require_current(engine: Engine) -> None:
    """Raise SchemaError, saying what to do, unless the schema is exactly this code's."""
    current = current_revision(engine)
    if current is None:
        raise SchemaError(f"the database {_shown(engine)} has no syncd schema yet: run `syncd migrate -c FILE` first")
    _refuse_unknown(engine, current)
    if current != newest_revision():
        raise SchemaError(
            f"the database {_shown(engine)} is at {current}, this syncd needs {newest_revision()}:"
            " back it up, then run `syncd migrate -c FILE`"
        )


def database_missing(url: str) -> str | None:
    """The path of a SQLite file that does not exist yet, if so."""
    from pathlib import Path

    from sqlalchemy import make_url

    if not is_sqlite(url):
        return None
    name = make_url(url).database
    return name if name and name != ":memory:" and not Path(name).exists() else None


def _refuse_unknown(engine: Engine, current: str | None) -> None:
    if current is None:
        return
    known = {revision.revision for revision in ScriptDirectory.from_config(_script()).walk_revisions()}
    if current not in known:
        raise SchemaError(
            f"the database {_shown(engine)} is at {current}, which this syncd does not know: it was written by a newer"
            " one. Install that version or restore a backup."
        )


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
