"""A sandbox behind a real socket, a client that speaks the vendor's language, and our adapter beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from aiohttp.test_utils import TestServer

from adapters.contract import Address
from adapters.shipbob import ShipbobSettings, ShipbobWarehouse
from adapters.shipbob.sandbox import FaultMix, ItemSeed, ShipbobSandbox, WarehouseSeed
from adapters.warehouse import ShipmentLine, ShipmentOrder
from tests.support.specs.exchange import Recorder
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock, settle

HOOK = "https://syncd.example/hooks/shipbob"
SECRET = "whsec_c3luY2Qtc2hpcGJvYi10ZXN0LTI0LWJ5"
PICK_S, SHIP_S = 600.0, 1200.0


class PatientClock:
    """The adapter's side of a stepping clock: whoever sleeps moves the time on."""

    def __init__(self, stepping: SteppingClock) -> None:
        self._stepping = stepping

    def now(self) -> datetime:
        return self._stepping.now()

    async def sleep(self, seconds: float) -> None:
        await self._stepping.advance(seconds)


@dataclass(slots=True)
class Mailbox:
    """Takes webhooks in, and answers as a test wishes."""

    status: int = 200
    got: list[httpx.Request] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._take)

    def topics(self) -> list[str]:
        return [request.headers["x-webhook-topic"] for request in self.got]

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self.status)


class Account:
    """One account: the vendor's face by `http`, the people by `control`, and `warehouse`, our adapter."""

    def __init__(self, seed: WarehouseSeed, clock: SteppingClock, address: str, mail: Mailbox) -> None:
        self.seed = seed
        self.clock = clock
        self.mail = mail
        self.recorder = Recorder()
        self.headers = {"Authorization": f"Bearer {seed.token}", "shipbob_channel_id": str(seed.channel_id)}
        self.http = httpx.AsyncClient(base_url=address, trust_env=False, verify=False)
        settings = ShipbobSettings(address, seed.token, seed.channel_id, seed.location_id, SECRET)
        self.warehouse = ShipbobWarehouse(settings, PatientClock(clock), SeededRng(11), self.recorder)

    async def get(self, path: str, **params: str) -> httpx.Response:
        return await self.http.get(f"/2026-01/{path}", params=params, headers=self.headers)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.http.post(f"/2026-01/{path}", json=body, headers=self.headers)

    async def place(self, reference: str = "syncd-1", **changes: Any) -> httpx.Response:
        return await self.post("order", order_form(reference, **changes))

    async def placed(self, reference: str = "syncd-1", **changes: Any) -> str:
        """The id of a new order."""
        answer = await self.place(reference, **changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def report(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/_control/{name}")).json()
        return found

    async def numbers(self, sku: str, location_id: int | None = None) -> tuple[int, int, int]:
        """on_hand, committed, fulfillable."""
        wanted = (sku, location_id or self.seed.location_id)
        levels = (await self.report("truth"))["levels"]
        level = next(one for one in levels if (one["sku"], one["location_id"]) == wanted)
        return level["on_hand"], level["committed"], level["fulfillable"]

    async def shipments(self, order_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(f"order/{order_id}/shipment")).json()
        return found

    async def meets(self, fault: str, operation: str, times: int = 1) -> None:
        """The next requests of this operation meet this fault for certain."""
        await self.control("faults", next=[{"fault": fault, "operation": operation, "times": times}])

    async def free(self) -> dict[str, int]:
        """What our adapter reads."""
        return {row.warehouse_sku: row.free async for page in self.warehouse.read_stock() for row in page.rows}

    async def close(self) -> None:
        await self.warehouse.close()
        await self.http.aclose()


def order_form(reference: str = "syncd-1", sku: str = "RED", quantity: int = 1, **changes: Any) -> dict[str, Any]:
    address = {"address1": "1 Main Street", "city": "Springfield", "state": "IL", "zip_code": "62701", "country": "US"}
    return {
        "reference_id": reference,
        "type": "DTC",
        "shipping_method": "Standard",
        "recipient": {"name": "Ann Roe", "address": address},
        "products": [{"reference_id": sku, "name": sku, "quantity": quantity}],
        **changes,
    }


def an_order(clock: SteppingClock, reference: str = "syncd-1", *lines: tuple[str, int]) -> ShipmentOrder:
    wanted = lines or (("RED", 1),)
    ship_to = Address("Ann Roe", ("1 Main Street",), "Springfield", "IL", "62701", "US")
    made = tuple(ShipmentLine(f"line-{at}", sku, quantity) for at, (sku, quantity) in enumerate(wanted))
    return ShipmentOrder(reference, "#1001", ship_to, made, clock.now())


def a_seed(**changes: Any) -> WarehouseSeed:
    """An account in which nothing goes wrong: 10 of RED, 5 of BLUE; picked after 10 minutes, gone after 30."""
    given: dict[str, Any] = {
        "items": (ItemSeed("RED", on_hand=10), ItemSeed("BLUE", on_hand=5)),
        "pick_after_s": (PICK_S, PICK_S),
        "ship_after_s": (SHIP_S, SHIP_S),
        "faults": FaultMix.none(),
    }
    return WarehouseSeed(**{**given, **changes})


@dataclass(slots=True)
class Opened:
    """Opens sandboxes behind real sockets, and closes them again."""

    servers: list[TestServer] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)

    async def account(self, **changes: Any) -> Account:
        seed, clock, mail = a_seed(**changes), SteppingClock(), Mailbox()
        sandbox = ShipbobSandbox(seed, clock, SeededRng(), mail.transport())
        server = TestServer(sandbox.app)
        await server.start_server()
        self.servers.append(server)
        self.accounts.append(Account(seed, clock, str(server.make_url("")), mail))
        return self.accounts[-1]

    async def close(self) -> None:
        for account in self.accounts:
            await account.close()
        for server in self.servers:
            await server.close()


__all__ = ["HOOK", "PICK_S", "SECRET", "SHIP_S", "Account", "Opened", "a_seed", "an_order", "order_form", "settle"]
