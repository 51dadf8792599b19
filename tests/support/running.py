"""A real daemon between a service manager that listens and a vendor, a chat and a mail server that never answer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import text

from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.simulation.processes import Process, free_ports

SECRET = "main-shop-sandbox-secret"
CONFIG = """
[database]
url = "{url}"
[http]
port = {port}
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
from_severity = "critical"
[[warehouse]]
key = "main"
kind = "own"
country = "US"
[[account]]
key = "shop"
channel = "shopify"
warehouses = ["main"]
buffer = 1
[account.shopify]
base_url = "http://127.0.0.1:{silent}"
client_id = "main-shop-client"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/1"
"""
ANOTHER = """
[[account]]
key = "second"
channel = "shopify"
warehouses = ["main"]
[account.shopify]
base_url = "http://localhost:{silent}"
client_id = "second-client"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/2"
"""


@dataclass
class Running:
    """A daemon under a service manager that listens, and a vendor who never answers."""

    folder: Path
    port: int
    silent: int
    daemon: Process
    db: Database
    environment: dict[str, str]
    asked: set[str]
    """What the silent one was asked for."""
    heard: list[str] = field(default_factory=list)
    """Everything that the service manager was told so far."""

    @property
    def file(self) -> Path:
        return self.folder / "syncd.toml"

    def writes(self, old: str = "", new: str = "", more: str = "") -> None:
        """The configuration as it was at first, with this in it instead of that."""
        config = CONFIG.format(url=self.db.url, port=self.port, silent=self.silent)
        assert old in config
        self.file.write_text(config.replace(old, new, 1) + more)

    async def starts_again(self) -> None:
        self.daemon = Process(["run", "-c", str(self.file)], self.folder / "daemon-2.log", env=self.environment)
        await self.daemon.answers(f"http://127.0.0.1:{self.port}/healthz")

    def asks(self) -> None:
        os.kill(self.daemon.pid, signal.SIGHUP)

    async def status(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{self.port}/status", params={"format": "json"})
        told: dict[str, Any] = answer.json()
        return told

    async def until_answered(self, before: str | None = None) -> dict[str, Any]:
        """What `/status` says of the last reload, once it is not the one at `before` any more."""
        async with asyncio.timeout(40.0):
            while True:
                told: dict[str, Any] = (await self.status())["configuration"]
                if told["reload"] is not None and told["reload"]["at"] != before:
                    return told
                await asyncio.sleep(0.1)

    def log(self) -> str:
        return self.daemon.log.read_text()

    def every(self, query: str) -> set[Any]:
        return self.db.read_now(lambda connection: set(connection.execute(text(query)).scalars()))

    def one(self, query: str) -> Any:
        return self.db.read_now(lambda connection: connection.execute(text(query)).scalar_one())

    async def sends(self, number: int, http: httpx.AsyncClient | None = None) -> int:
        """A webhook, as the shop would send it, on a connection of its own or one of `http`. The answer's status."""
        if http is None:
            async with httpx.AsyncClient(timeout=20.0) as fresh:
                return await self.sends(number, fresh)
        body = msgspec.json.encode({"id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}"})
        digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        headers = {
            "X-Shopify-Topic": "orders/updated",
            "X-Shopify-Hmac-Sha256": digest,
            "X-Shopify-Event-Id": f"event-{number}",
            "X-Shopify-Webhook-Id": f"webhook-{number}",
            "X-Shopify-Triggered-At": "2026-11-27T09:00:00Z",
        }
        answer = await http.post(f"http://127.0.0.1:{self.port}/webhooks/shop", content=body, headers=headers)
        return answer.status_code


@asynccontextmanager
async def a_running_daemon(tmp_path: Path, more: str = "", url: str | None = None) -> AsyncIterator[Running]:
    """One that got ready, on SQLite or on the database of `url`. What is left of it at the end is killed."""

    async with a_silent_server() as (silent, asked):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            async with _started(tmp_path, more, url, silent, asked, manager) as made:
                yield made


@asynccontextmanager
async def _started(
    tmp_path: Path, more: str, url: str | None, silent: int, asked: set[str], manager: socket.socket
) -> AsyncIterator[Running]:
    (port,) = free_ports(1)
    url = url or f"sqlite:///{tmp_path / 'syncd.db'}"
    migrate(url)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "credentials" / "SHOP_SECRET").write_text(SECRET + "\n")
    environment = {
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
        "OPS_URL": f"http://127.0.0.1:{silent}/chat",
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "STATE_DIRECTORY": str(tmp_path / "state"),
    }
    manager.bind(environment["NOTIFY_SOCKET"])
    manager.setblocking(False)
    config = tmp_path / "syncd.toml"
    config.write_text((CONFIG + more).format(url=url, port=port, silent=silent))
    daemon = Process(["run", "-c", str(config)], tmp_path / "daemon.log", env=environment)
    made = Running(tmp_path, port, silent, daemon, Database(url), environment, asked)
    asyncio.get_running_loop().add_reader(manager, lambda: made.heard.append(manager.recv(4096).decode()))
    try:
        await daemon.answers(f"http://127.0.0.1:{port}/healthz")
        yield made
    finally:
        made.daemon.kill()
        asyncio.get_running_loop().remove_reader(manager)
        made.db.close()


class _Silent(asyncio.Protocol):
    """Takes everything and answers nothing; notes the first line of what it is asked, or that it must speak first."""

    def __init__(self, asked: set[str], kept: list[asyncio.BaseTransport]) -> None:
        self._asked = asked
        self._kept = kept
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._kept.append(transport)
        self._waits = asyncio.get_running_loop().call_later(0.5, self._asked.add, "mail")

    def data_received(self, data: bytes) -> None:
        self._waits.cancel()
        self._heard += data
        if b" HTTP/" in self._heard:
            method, path, _ = self._heard.decode().split(" ", 2)
            self._asked.add(f"{method} {'/'.join(path.split('/')[:2])}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._waits.cancel()


@asynccontextmanager
async def a_silent_server() -> AsyncIterator[tuple[int, set[str]]]:
    """(its port, what it was asked for)"""
    asked: set[str] = set()
    kept: list[asyncio.BaseTransport] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Silent(asked, kept), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for transport in kept:
            transport.close()
        await asyncio.sleep(0.05)  # they close in the loop's next turns


async def until(true: Callable[[], Any], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - it looks at what another process did
            await asyncio.sleep(0.05)
