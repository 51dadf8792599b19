"""The web server over a real socket and a real database, and somebody who asks it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from sqlalchemy import insert, select, text

from adapters.contract import RawEvent
from syncd.accounts.store import set_state
from syncd.alerts.store import Alert, open_alerts
from syncd.db.database import Database
from syncd.db.tables import cursor, inbox
from syncd.insight.store import add_lags, add_tallies, read_tallies
from syncd.web.app import WebDeps, make_app
from tests.support.builders import NOW
from tests.support.fake_channel import FakeChannel, signed

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
ORDER = b'{"order": "1001", "buyer": "Ada Buyer"}'
Client = TestClient[Request, Application]


class StillClock:
    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the web server does not wait")


class Mute(FakeChannel):
    """A channel that nothing may be asked but whether a webhook is genuine."""

    def resolve(self, event: RawEvent) -> Any:
        raise AssertionError("nothing but the inbox comes before the answer")


@dataclass
class Site:
    """A running server, and the database behind it."""

    client: Client
    app: Application
    db: Database
    account_id: int
    problems: list[str] = field(default_factory=list)

    async def get(self, path: str, accept: str = "*/*") -> tuple[int, str, Mapping[str, str]]:
        async with self.client.get(path, headers={"Accept": accept}, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers

    async def deliver(
        self, body: bytes = ORDER, *, account: str = "shop", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        headers = signed(body) if headers is None else headers
        async with self.client.post(f"/webhooks/{account}", data=io.BytesIO(body), headers=headers) as answer:
            told = await answer.read()
            return answer.status, json.loads(told) if told else {}, answer.headers

    async def says(self, raw: bytes) -> bytes:
        """What the server answers to these very bytes."""
        reader, writer = await asyncio.open_connection(self.client.host, self.client.port)
        try:
            writer.write(raw)
            await writer.drain()
            async with asyncio.timeout(30.0):
                return await reader.read(65536)
        finally:
            writer.close()

    def rows(self) -> list[tuple[str, str, str, bytes]]:
        found = select(inbox.c.event_key, inbox.c.topic, inbox.c.way, inbox.c.body).order_by(inbox.c.id)
        return self.db.read_now(lambda connection: [tuple(row) for row in connection.execute(found)])

    def forged(self) -> int:
        return self.db.read_now(read_tallies).get(("account:shop", "webhooks_forged"), 0)

    def does(self, statement: str) -> None:
        self.db.transact_now(lambda connection: connection.execute(text(statement)))

    def disk(self, *, writable: bool) -> None:
        """Let the writer's connection refuse writes, as on a disk mounted read-only."""
        raw = self.db.writer.raw_connection()
        raw.cursor().execute(f"PRAGMA query_only={'OFF' if writable else 'ON'}")
        raw.close()


async def serve(deps: WebDeps) -> AsyncIterator[Site]:
    problems: list[str] = []

    async def ready() -> list[str]:
        return problems

    app = make_app(replace(deps, ready=ready))
    async with TestClient(TestServer(app)) as client:
        assert isinstance(deps.db, Database)
        yield Site(client, app, deps.db, deps.accounts["shop"][0], problems)


def seed(site: Site) -> None:
    """A seller's day: orders both ways, an oversell, an alert with a nasty title, a late poll."""
    site.db.transact_now(set_state, site.account_id, "live", NOW - timedelta(hours=5))
    polled = {"account_id": site.account_id, "stream": "orders", "polled_to": NOW - timedelta(minutes=20)}
    site.db.transact_now(lambda connection: connection.execute(insert(cursor).values(**polled, moved_at=NOW)))
    totals = {"orders_in.webhook": 12_041, "orders_in.poll": 388, "oversold_units": 3, "numbers_written": 21_460}
    site.db.transact_now(add_tallies, {("account:shop", name): n for name, n in totals.items()})
    lags = [("placed_to_book.webhook", 0.4), ("placed_to_book.poll", 31.0), ("placed_to_shown", 2.0)]
    site.db.transact_now(add_lags, [(site.account_id, kind, seconds) for kind, seconds in lags])
    alerts = [
        Alert(f"k{n}", "oversold", "someone at FBA waits", f"order <script>{n}</script>", site.account_id)
        for n in range(7)
    ]
    site.db.transact_now(open_alerts, alerts, NOW - timedelta(minutes=4))
