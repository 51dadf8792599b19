"""Whether this process can do its work: its database answers, has the right schema, and the inbox takes rows."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, delete
from sqlalchemy.exc import SQLAlchemyError

from syncd.db.migrate import newest_revision
from syncd.db.tables import inbox
from syncd.errors import SyncdError
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.web.deps import WebDeps

log = structlog.get_logger(__name__)

_WITHIN_S = 2.0
_FRESH_S = 1.0  # anybody may ask, so asking often must not cost a write each time
_PROBE_KEY = "syncd:probe"


class Readiness:
    """Finds what keeps this process from its work. An account's state is never among it."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._needed = newest_revision()
        self._checking = asyncio.Lock()
        self._newest: tuple[float, list[str]] | None = None

    async def problems(self) -> list[str]:
        """What is wrong, in a person's words; empty when this process is ready."""
        loop = asyncio.get_running_loop()
        async with self._checking:
            if self._newest is None or loop.time() - self._newest[0] >= _FRESH_S:
                found = await self._database_problems()
                self._tell(found)
                self._newest = (loop.time(), found)
            of_database = self._newest[1]
        return [*of_database, *await self._deps.ready()]

    async def _database_problems(self) -> list[str]:
        try:
            async with asyncio.timeout(_WITHIN_S):
                revision = await self._deps.db.read(current_revision)
        except (SQLAlchemyError, SyncdError, TimeoutError) as err:
            return [f"the database cannot be read ({type(err).__name__})"]
        if revision != self._needed:
            return [f"the database is at revision {revision or 'none'}, this syncd needs {self._needed}"]
        account_ids = sorted(account_id for account_id, _ in self._deps.accounts.values())
        if not account_ids:
            return []
        try:
            async with asyncio.timeout(_WITHIN_S):
                await self._deps.db.transact(probe_inbox, account_ids[0], self._deps.clock.now())
        except (SQLAlchemyError, SyncdError, TimeoutError) as err:
            return [f"the inbox cannot be written ({type(err).__name__})"]
        return []

    def _tell(self, found: list[str]) -> None:
        before = self._newest[1] if self._newest else []
        if found and found != before:
            log.error("readiness.lost", problems=found)
        elif before and not found:
            log.info("readiness.recovered")


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def probe_inbox(connection: Connection, account_id: int, now: datetime) -> None:
    """Write a row into the inbox and take it out again, in one commit.

    Nobody ever sees the row, but unlike an insert that is rolled back its pages reach the disk: a full or read-only
    one shows here and not first at a buyer's order.
    """
    insert_arrived(connection, [Arrived(account_id, _PROBE_KEY, "syncd/probe", "daemon", b"")], now)
    connection.execute(delete(inbox).where(inbox.c.account_id == account_id, inbox.c.event_key == _PROBE_KEY))
