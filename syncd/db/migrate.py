"""Bring a database to the schema of this code, and refuse one that is newer."""

from __future__ import annotations

import sqlite3

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError, OperationalError

from syncd.db.engine import is_sqlite, writer_engine
from syncd.errors import SyncdError
from syncd.resources import folder


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
        raise SchemaError(f"the database {_shown(engine)} cannot be opened: {_cause(err)}. {_remedy(err)}") from err


def migrate(url: str, to: str = "head") -> tuple[str | None, str | None]:
    """Apply missing migrations in one transaction; (before, after). Raises SchemaError when newer than the code."""
    engine = writer_engine(url)
    try:
        before = current_revision(engine)
        _refuse_unknown(engine, before)
        config = _script()
        try:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, to)
        except DBAPIError as err:
            why = f"{_cause(err)}. Nothing was changed. {_remedy(err)}"
            raise SchemaError(f"the database {_shown(engine)} cannot be migrated: {why}") from err
        return before, current_revision(engine)
    finally:
        engine.dispose()


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


def _cause(err: DBAPIError) -> str:
    return str(err.orig).strip().splitlines()[0] if err.orig else str(err)


def _remedy(err: DBAPIError) -> str:
    if isinstance(err.orig, sqlite3.Error):
        return _REMEDIES.get(getattr(err.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF, _REPORT)
    if isinstance(err, OperationalError):
        return "See that PostgreSQL runs, that this machine may reach it, and that nobody holds locks in it"
    return _REPORT


_REPORT = "This is unexpected: report it"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_LOCKED: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_CANTOPEN: "See that its folder is there and that this user may write to it",
    sqlite3.SQLITE_READONLY: "See that this user may write to it and to its folder",
    sqlite3.SQLITE_FULL: "Make room on its disk",
    sqlite3.SQLITE_NOTADB: "Name another file under [database], or restore a backup",
    sqlite3.SQLITE_CORRUPT: "Restore a backup",
}
