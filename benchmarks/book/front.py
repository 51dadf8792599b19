"""Webhooks over real HTTP: durable before they are answered, beside a handler that only checks the signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import datetime
from enum import StrEnum
from typing import Final

from aiohttp import web

from benchmarks.book.core import NOW
from benchmarks.book.deliveries import PATH, SECRET, open_channel
from benchmarks.book.runs import WARM_S, Run, run_of
from benchmarks.book.seller import ACCOUNT, views_of
from benchmarks.book.stop import Unsound
from benchmarks.book.visitors import Visit, send_visitors
from syncd.db.database import Database
from syncd.garbage import keep_what_is_there
from syncd.host import ThisMachine
from syncd.orders.inbox import load_new
from syncd.orders.intake import InboxWriter
from syncd.turns import take_short_turns
from syncd.web.app import WebDeps, make_app

CONNECTIONS: Final = 256
"""As many as there are producers: with few, a front that answers after a commit mostly waits for one."""

FEW: Final = 64
_MOST_A_SECOND: Final = 12_000  # requests made beforehand: more than one core answers


class Front(StrEnum):
    MEMORY = "memory"
    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


class StillClock:
    """The seller's time stands still while it is measured."""

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_front(url: str, front: Front, skus: int, seed: int, seconds: float, connections: int = CONNECTIONS) -> Run:
    """Answer webhooks for so long; what was answered is in the inbox, or in memory."""
    db = Database(url)
    try:
        return asyncio.run(_measure(db, front, skus, seed, seconds, connections))
    finally:
        db.close()


async def _measure(db: Database, front: Front, skus: int, seed: int, seconds: float, connections: int) -> Run:
    taken: list[bytes] = []
    app = _in_memory(taken) if front is Front.MEMORY else our_app(db, InboxWriter(db, StillClock(), lambda: None))
    keep_what_is_there()
    take_short_turns()
    served = await ThisMachine().serve(app, "127.0.0.1", 0)
    both_s = WARM_S + seconds
    wanted = Visit(
        port=int(served.address.rsplit(":", 1)[1]),
        skus=skus,
        seed=seed,
        first=1,
        seconds=both_s,
        connections=connections,
        per_s=0.0,
        scrape=False,
        prepared=int(_MOST_A_SECOND * both_s),
    )
    answered = await send_visitors(wanted)
    await served.stop()
    if front is Front.MEMORY:
        if len(taken) != len(answered) or len(set(taken)) != len(taken):
            raise Unsound(f"{len(answered)} webhooks acknowledged and {len(taken)} kept")
    else:
        kept = {row.event_key for row in await db.read(load_new, 10 * wanted.prepared)}
        missing = {f"webhook:delivery-{each.key.rsplit('/', 1)[1]}" for each in answered} - kept
        if missing:
            raise Unsound(f"{len(missing)} acknowledged webhooks missing from the inbox")
    run = run_of(answered, min(each.began_s for each in answered) + WARM_S)
    return Run(run.rate, "webhooks/s", run.p50_ms, run.p99_ms, note=f"{connections} connections")


def our_app(db: Database, inbox: InboxWriter) -> web.Application:
    """The web server as the daemon has it."""

    async def ready() -> list[str]:
        return []

    account_id = next(iter(views_of(db)))
    return make_app(WebDeps(db, StillClock(), inbox, {ACCOUNT: (account_id, open_channel())}, "0", NOW, ready))


def _in_memory(taken: list[bytes]) -> web.Application:
    """The least that one must do: read the body, check its signature, keep it."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(signature, request.headers["X-Shopify-Hmac-Sha256"]):
            return web.Response(status=401)
        taken.append(body)
        return web.Response()

    app = web.Application()
    app.router.add_post(PATH, receive)
    return app
