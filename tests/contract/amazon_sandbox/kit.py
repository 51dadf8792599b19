"""A sandbox behind a real socket, a client of its API, and the people around the seller."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from aiohttp.test_utils import TestServer

from adapters.amazon.sandbox import AmazonSandbox, FaultMix, ItemSeed, SellerSeed
from tests.support.specs.exchange import Recorder
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock

ORDERS = "/orders/2026-01-01/orders"
LISTINGS = "/listings/2021-08-01/items/A2SANDBOXSELLER"
SUMMARIES = "/fba/inventory/v1/summaries"
US = "ATVPDKIKX0DER"
FULFILLMENT = {"includedData": "FULFILLMENT"}


class Account:
    """The seller's application and, through the control face, everybody else."""

    def __init__(
        self, sandbox: AmazonSandbox, clock: SteppingClock, http: httpx.AsyncClient, recorder: Recorder
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.http = http
        self.recorder = recorder  # of everything this client sends
        self.seed = sandbox.seller.seed
        self.token = ""

    # --- the API ------------------------------------------------------------------------------------------------

    async def log_in(self, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.seed.refresh_token,
            "client_id": self.seed.client_id,
            "client_secret": self.seed.client_secret,
            **changes,
        }
        answer = await self.http.post("/auth/o2/token", data=form)
        if answer.is_success:
            self.token = answer.json()["access_token"]
        return answer

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self._headers())

    async def search(self, since_s: float = 3600, **query: Any) -> httpx.Response:
        """searchOrders for everything updated in the last seconds, with its fulfilment."""
        since = (self.clock.now() - timedelta(seconds=since_s)).isoformat()
        return await self.get(ORDERS, **{"lastUpdatedAfter": since, **FULFILLMENT, **query})

    async def found(self, **query: Any) -> dict[str, dict[str, Any]]:
        """What a search finds, by order id."""
        answer = await self.search(**query)
        assert answer.status_code == 200, answer.text
        return {order["orderId"]: order for order in answer.json()["orders"]}

    async def order(self, order_id: str, included: str = "FULFILLMENT,CANCELLATION") -> dict[str, Any]:
        answer = await self.get(f"{ORDERS}/{order_id}", includedData=included)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["order"]
        return found

    async def listing(self, sku: str, included: str = "fulfillmentAvailability") -> dict[str, Any]:
        answer = await self.get(f"{LISTINGS}/{sku}", marketplaceIds=US, includedData=included)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def live(self, sku: str) -> int | None:
        """The number that shoppers see on the merchant's offer."""
        for shown in (await self.listing(sku))["fulfillmentAvailability"]:
            if shown["fulfillmentChannelCode"] == "DEFAULT":
                quantity: int = shown["quantity"]
                return quantity
        return None

    async def patch(self, sku: str, *patches: dict[str, Any], **query: Any) -> httpx.Response:
        return await self.http.patch(
            f"{LISTINGS}/{sku}",
            params={"marketplaceIds": US, **query},
            json={"productType": "HOME", "patches": list(patches)},
            headers=self._headers(),
        )

    async def confirm(self, order_id: str, detail: dict[str, Any]) -> httpx.Response:
        return await self.http.post(
            f"/orders/v0/orders/{order_id}/shipmentConfirmation",
            json={"marketplaceId": US, "packageDetail": detail},
            headers=self._headers(),
        )

    async def queue(self, action: str, **body: Any) -> httpx.Response:
        content = {"QueueUrl": f"{self.http.base_url}000000000000/orders", **body}
        headers = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
        return await self.http.post("/", json=content, headers=headers)

    async def received(self, **body: Any) -> list[dict[str, Any]]:
        answer = await self.queue("ReceiveMessage", **{"MaxNumberOfMessages": 10, **body})
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json().get("Messages", [])
        return messages

    def _headers(self) -> dict[str, str]:
        return {"x-amz-access-token": self.token} if self.token else {}

    # --- the people ---------------------------------------------------------------------------------------------

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def buy(self, sku: str, quantity: int = 1, **more: Any) -> str:
        """The id of a new order."""
        placed = await self.control("orders", lines=[{"sku": sku, "quantity": quantity}], **more)
        return str(placed["id"])

    async def plan(self, fault: str, **more: Any) -> None:
        await self.control("faults", next=[{"fault": fault, **more}])

    async def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_control/truth")).json()
        return found

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_control/stats")).json()
        return found

    async def available(self, sku: str) -> int:
        found: int = next(one["available"] for one in (await self.truth())["levels"] if one["sku"] == sku)
        return found

    async def at_fba(self, sku: str) -> int:
        found: int = next(one["fulfillable"] for one in (await self.truth())["fba"] if one["sku"] == sku)
        return found


def quantity_patch(quantity: object, op: str = "merge", **more: Any) -> dict[str, Any]:
    element = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity, **more}
    return {"op": op, "path": "/attributes/fulfillment_availability", "value": [element]}


def a_seed(**changes: Any) -> SellerSeed:
    """A seller with a merchant's SKU, one that both sell and one that only FBA sells. Nothing goes wrong."""
    settings: dict[str, Any] = {
        "items": (
            ItemSeed("RED-CLOCK", "Red clock", quantity=10, price="19.90", gtin="4006381333931"),
            ItemSeed("BLUE-CLOCK", quantity=5, fba_quantity=8),
            ItemSeed("FBA-CLOCK", quantity=None, fba_quantity=4),
        ),
        "visibility_lag_s": (120.0, 180.0),
        "apply_delay_s": (5.0, 60.0),
        "faults": FaultMix.none(),
    }
    return SellerSeed(**{**settings, **changes})


@dataclass(slots=True)
class Opened:
    """Opens sandboxes behind real sockets, and closes them again."""

    servers: list[TestServer] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    async def account(self, seed: SellerSeed | None = None, *, rng: int = 7) -> Account:
        """An account whose application has logged in."""
        clock = SteppingClock()
        sandbox = AmazonSandbox(seed or a_seed(), clock, SeededRng(rng))
        server = TestServer(sandbox.app)
        await server.start_server()
        self.servers.append(server)
        recorder = Recorder()
        http = httpx.AsyncClient(base_url=str(server.make_url("/")), transport=recorder, timeout=10.0)
        self.clients.append(http)
        account = Account(sandbox, clock, http, recorder)
        await account.log_in()
        return account

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()
        for server in self.servers:
            await server.close()
