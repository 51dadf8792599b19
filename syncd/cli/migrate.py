"""`syncd migrate`: bring the database to this version, and say first what that means for who works on it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from sqlalchemy import Engine, select

from syncd import config as settings
from syncd.clock import real_now
from syncd.db.engine import is_sqlite, migration_engine
from syncd.db.migrate import current_revision, newest_revision
from syncd.db.migrate import migrate as apply
from syncd.db.tables import lease
from syncd.leases import SCHEDULER

_ALONE = (
    "on PostgreSQL a step may keep a whole table for itself, some 10 s where there are 5,000,000 levels; "
    "docs/operating.md tells more"
)


def migrate(path: Path, console: Console) -> None:
    """Raises SchemaError when the database is newer than this code, or when a step fails."""
    url = settings.load(path).database.url_with_password()
    _warn(url, console)
    before, after = apply(url)
    if before == after:
        console.print(f"the database is at {after} already")
    else:
        console.print(f"the database went from {before or 'nothing'} to {after}")


def _warn(url: str, console: Console) -> None:
    engine = migration_engine(url)
    try:
        before = current_revision(engine)
        if before is None or before >= newest_revision():
            return
        console.print(f"bringing the database from {before} to {newest_revision()}", soft_wrap=True)
        at_work = _at_work(engine)
    finally:
        engine.dispose()
    if at_work is not None:
        host, _, pid, _ = (*at_work.split("/"), "", "", "")[:4]
        told = f"syncd (process {pid} on {host}) still works on it: stop it, and start this version afterwards"
        told = told if is_sqlite(url) else f"{told}; {_ALONE}"
        console.print(told, style="yellow", soft_wrap=True)


def _at_work(engine: Engine) -> str | None:
    """Who holds the scheduler's lease just now."""
    mine = select(lease.c.holder).where(lease.c.name == SCHEDULER, lease.c.expires_at > real_now())
    with engine.connect() as connection:
        return connection.execute(mine).scalar_one_or_none()
