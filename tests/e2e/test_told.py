"""The real daemon tells people and programs, also when it is killed between what it commits and what it sends."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.clock import ScaledClock, start_record
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.simulation.processes import Process, free_ports
from tests.support import postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SPEED = 10.0
"""So many of the seller's seconds a real one: what is collected or settles is not waited for in real ones."""
WHSEC = "whsec_" + base64.b64encode(b"s" * 32).decode()
CONFIG = """
[database]
url = "{url}"
[clock]
record = "clock.json"
[http]
port = {port}
public_url = "http://127.0.0.1:{port}"
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
[[webhook]]
name = "erp"
url = "{address}/erp"
signing_secret = "ERP_SECRET"
[[warehouse]]
key = "main"
kind = "own"
country = "US"
[[account]]
key = "shop"
channel = "shopify"
warehouses = ["main"]
[account.shopify]
base_url = "http://127.0.0.1:{shop}"
client_id = "main-shop-client"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/1"
poll_every_s = 20.0
"""


@dataclass
class Receiver:
    """A chat room and an endpoint; `silent`: it takes everything and never answers."""

    said: list[str] = field(default_factory=list)
    events: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    asked: int = 0
    silent: bool = False
    address: str = ""

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked += 1
        if self.silent:
            await asyncio.sleep(3600)
        self.said.append(body["text"])
        return web.Response(text="ok")

    async def erp(self, request: web.Request) -> web.Response:
        self.events.append((dict(request.headers), await request.read()))
        return web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/chat", made.chat)
    app.router.add_post("/erp", made.erp)
    server = TestServer(app)
    await server.start_server()
    made.address = str(server.make_url("")).rstrip("/")
    yield made
    await server.close()


async def until(true: Callable[[], Any], within_s: float = 40.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - it looks at what another process did
            await asyncio.sleep(0.05)


@dataclass
class Seller:
    """A database, a configuration, and a daemon that can be killed."""

    db: Database
    config: Path
    port: int
    secrets: dict[str, str]
    clock: ScaledClock
    daemon: Process | None = None
    lives: int = 0

    async def starts(self) -> None:
        self.lives += 1
        log = self.config.parent / f"daemon-{self.lives}.log"
        self.daemon = Process(["run", "-c", str(self.config)], log, env=self.secrets)
        await self.daemon.answers(f"http://127.0.0.1:{self.port}/healthz")

    def dies(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()

    def log(self) -> str:
        return "".join(file.read_text() for file in self.config.parent.glob("daemon-*.log"))

    def opens(self, *alerts: Alert) -> None:
        self.db.transact_now(open_alerts, alerts, self.clock.now())

    def half_a_minute_goes_by(self) -> None:
        """For what was being sent when its process died, which is tried again when no attempt can last any longer."""
        gone = "UPDATE delivery SET next_at = next_at - 30000000 WHERE state = 'waiting'"
        self.db.transact_now(lambda connection: connection.execute(text(gone)))

    def count(self, query: str) -> int:
        return int(self.db.read_now(lambda connection: connection.execute(text(query)).scalar_one()))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.soak])])
async def seller(request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Seller]:
    url = postgres.create_database() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'syncd.db'}"
    migrate(url)
    port, shop = free_ports(2)
    config = tmp_path / "syncd.toml"
    record = start_record(SPEED)
    record.save(tmp_path / "clock.json")
    config.write_text(CONFIG.format(url=url, port=port, address=receiver.address, shop=shop))
    secrets = {
        "OPS_URL": f"{receiver.address}/chat",
        "ERP_SECRET": WHSEC,
        "SHOP_SECRET": "main-shop-sandbox-secret",
        "SHOP_PORT": str(shop),
    }
    made = Seller(Database(url, topics=["alert.opened", "alert.closed"]), config, port, secrets, ScaledClock(record))
    yield made
    if made.daemon is not None:
        await made.daemon.stop()
    made.db.close()


def a_disk() -> Alert:
    return Alert("disk_low", "disk_low", "", "", detail="1 MiB of 10 GiB")


async def test_an_account_that_fails_is_told_and_told_again_when_it_is_back(
    seller: Seller, receiver: Receiver, tmp_path: Path
) -> None:
    await seller.starts()
    await until(lambda: "🔴 Account failing · shop" in receiver.said)

    shop = seller.secrets["SHOP_PORT"]
    led = ["--clock", str(tmp_path / "clock.json")]
    sandbox = Process(["sandbox", "--only", "shopify", "--port-base", shop, *led], tmp_path / "sandbox.log")
    try:
        await until(lambda: "✅ Recovered: Account failing · shop" in receiver.said, 90.0)
    finally:
        sandbox.kill()

    assert receiver.said.count("🔴 Account failing · shop") == 1
    await until(
        lambda: {"alert.opened", "alert.closed"} <= {msgspec.json.decode(b)["type"] for _, b in receiver.events}
    )
    for headers, body in receiver.events:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.new(b"s" * 32, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{digest}"
    assert receiver.address not in seller.log(), "an address that is a secret is in no log"


async def test_a_kill_between_commit_and_send_loses_no_message(seller: Seller, receiver: Receiver) -> None:
    receiver.silent = True
    await seller.starts()
    seller.opens(a_disk())
    await until(lambda: seller.count("SELECT count(*) FROM delivery WHERE topic = 'down'"))
    await until(lambda: receiver.asked)
    seller.dies()
    assert receiver.said == []
    seller.half_a_minute_goes_by()
    seller.opens(Alert("audit_violation", "audit_violation", "", "", detail="level.fold 1"))

    receiver.silent = False
    await seller.starts()

    wanted = {"🔴 The disk is nearly full", "🔴 The book does not add up"}
    await until(lambda: wanted <= set(receiver.said), 80.0)
    assert len(receiver.said) == len(set(receiver.said)), "nothing of it twice: the first attempt was never answered"
    await until(lambda: seller.count("SELECT count(*) FROM delivery WHERE state = 'waiting'") == 0)
    seller.db.transact_now(close_alerts, ["audit_violation"], seller.clock.now())
    await until(lambda: "✅ Recovered: The book does not add up" in receiver.said)
    kinds = [msgspec.json.decode(body)["data"]["kind"] for _, body in receiver.events]
    assert {"disk_low", "audit_violation"} <= set(kinds)
