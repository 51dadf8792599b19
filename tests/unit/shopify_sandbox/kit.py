"""A stepping clock, a receiver of webhooks, and an app that talks to a sandbox over real HTTP."""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aiohttp.test_utils import TestServer

from adapters.shopify.sandbox import FaultMix, ItemSeed, ShopifySandbox, ShopSeed
from tests.unit.shopify_sandbox.documents import ORDER, SET

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
HOOK = "https://syncd.test/hook"


class SteppingClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self._now = at
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = 0
        self._slept = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self._count += 1
        self._slept.set()
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._count, awake))
        await awake

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own instant."""
        await settle()
        until = self._now + timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, awake = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            if not awake.done():
                awake.set_result(None)
            await settle()
        self._now = until

    async def someone_sleeps(self) -> None:
        """Wait until a request has gone to sleep inside the sandbox."""
        async with asyncio.timeout(30.0):
            await self._slept.wait()


async def settle() -> None:
    """Let everything run that needs no time."""
    for _ in range(40):
        await asyncio.sleep(0)


class SeededRng:
    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._random.getrandbits(128), version=4)


@dataclass(slots=True)
class Mailbox:
    """Takes webhooks in, and answers as a test wishes."""

    status: int = 200
    got: list[httpx.Request] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._take)

    def topics(self) -> list[str]:
        return [request.headers["X-Shopify-Topic"] for request in self.got]

    def bodies(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(one.content) for one in self.got if one.headers["X-Shopify-Topic"] == topic]

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self.status)


class App:
    """An installed app and, through the control face, the people around the shop."""

    def __init__(self, sandbox: ShopifySandbox, clock: SteppingClock, http: httpx.AsyncClient, mail: Mailbox) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.http = http
        self.mail = mail
        self.token = "shpat_test"

    async def send(
        self, query: str, variables: dict[str, Any] | None = None, version: str = "2026-10"
    ) -> httpx.Response:
        return await self.http.post(
            f"/admin/api/{version}/graphql.json",
            json={"query": query, "variables": variables or {}},
            headers={"X-Shopify-Access-Token": self.token},
        )

    async def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors and extensions included."""
        answer = await self.send(document, variables)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def data(self, document: str, /, **variables: Any) -> Any:
        answer = await self.ask(document, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_control/truth")).json()
        return found

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_control/stats")).json()
        return found

    async def level(self, sku: str) -> dict[str, Any]:
        """The level of an item at the first location, with its global ids."""
        level = next(one for one in (await self.truth())["levels"] if one["sku"] == sku)
        item, location = level["inventory_item_id"], level["location_id"]
        return {
            **level,
            "item": f"gid://shopify/InventoryItem/{item}",
            "location": f"gid://shopify/Location/{location}",
        }

    async def numbers(self, sku: str) -> tuple[int, int, int]:
        """available, committed, on_hand."""
        level = await self.level(sku)
        return level["available"], level["committed"], level["on_hand"]

    async def buy(self, sku: str, quantity: int = 1) -> str:
        """The id of a new order."""
        order = await self.control("orders", lines=[{"sku": sku, "quantity": quantity}])
        return str(order["id"])

    async def read_order(self, order: str) -> Any:
        """An order as `nodes` shows it, or None."""
        return (await self.data(ORDER, ids=[f"gid://shopify/Order/{order}"]))["nodes"][0]

    async def subscribe(self, *topics: str) -> None:
        for topic in topics:
            await self.control("webhooks", topic=topic, uri=HOOK)

    async def row(self, sku: str, quantity: int, change_from: int | None) -> dict[str, Any]:
        level = await self.level(sku)
        return {
            "inventoryItemId": level["item"],
            "locationId": level["location"],
            "quantity": quantity,
            "changeFromQuantity": change_from,
        }

    async def set(self, *rows: dict[str, Any], key: str = "key-1", **more: Any) -> Any:
        """The payload of inventorySetQuantities."""
        answer = await self.data(SET, input=write_of(*rows, **more), key=key)
        return answer["inventorySetQuantities"]


def write_of(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "available", "reason": "correction", "quantities": list(rows), **more}


def a_seed(**changes: Any) -> ShopSeed:
    """A shop with two items in which nothing goes wrong and nothing takes time unless a test wants it."""
    settings: dict[str, Any] = {
        "items": (ItemSeed("RED-CLOCK", quantity=10), ItemSeed("BLUE-CLOCK", quantity=5)),
        "access_token": "shpat_test",
        "index_lag_s": 0.0,
        "write_latency_s": 0.0,
        "faults": FaultMix.none(),
    }
    return ShopSeed(**{**settings, **changes})


@dataclass(slots=True)
class Opened:
    """Opens sandboxes behind real sockets, and closes them again."""

    servers: list[TestServer] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    async def app(self, seed: ShopSeed | None = None) -> App:
        clock, mail = SteppingClock(), Mailbox()
        sandbox = ShopifySandbox(seed or a_seed(), clock, SeededRng(), webhook_transport=mail.transport())
        server = TestServer(sandbox.app)
        await server.start_server()
        http = httpx.AsyncClient(base_url=str(server.make_url("/")), trust_env=False, verify=False)
        self.servers.append(server)
        self.clients.append(http)
        return App(sandbox, clock, http, mail)

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()
        for server in self.servers:
            await server.close()
