"""A site for every test, over SQLite alone: what the web server says is no matter of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.db.database import Database
from syncd.orders.intake import InboxWriter
from syncd.web import readiness
from syncd.web.app import WebDeps
from tests.integration.web.site import Mute, Site, StillClock, serve
from tests.support.builders import NOW, a_database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with a_database("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def deps(db: Database) -> WebDeps:
    accounts = [AccountSetup(key, "shopify", "priority", 0, None, ("own",)) for key in ("shop", "retired")]
    warehouses = [WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC")]
    ids = db.transact_now(sync_parties, accounts, warehouses, NOW - timedelta(days=3))

    async def ready() -> list[str]:
        return []

    return WebDeps(
        db=db,
        clock=StillClock(),
        inbox=InboxWriter(db, StillClock(), lambda: None),
        accounts={"shop": (ids.accounts["shop"], Mute())},
        version="1.2.3",
        started_at=NOW - timedelta(hours=2),
        ready=ready,
        fresh_s=0.0,
    )


@pytest.fixture
async def site(deps: WebDeps, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(readiness, "_FRESH_S", 0.0)
    async for each in serve(deps):
        yield each
