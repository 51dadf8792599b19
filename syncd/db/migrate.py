"""Bring a database to the schema of this code, and refuse one that is newer."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError

from syncd.db.engine import is_sqlite, writer_engine
from syncd.db.trouble import explain
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
        raise SchemaError(f"the database {_shown(engine)} cannot be opened: {explain(err)}") from err


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
            raise SchemaError(
                f"the database {_shown(engine)} cannot be migrated, and nothing was changed: {explain(err)}"
            ) from err
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
