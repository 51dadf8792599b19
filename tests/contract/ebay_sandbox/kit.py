"""An app that talks to an eBay sandbox over real HTTP, and an endpoint that takes its notifications."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.ebay.sandbox import EbaySandbox, FaultMix, ItemSeed, SellerSeed
from tests.contract.ebay_sandbox.openapi import documents_at_hand, wrongs
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock

INVENTORY = "/sell/inventory/v1"
ORDER = "/sell/fulfillment/v1/order"
NOTIFICATION = "/commerce/notification/v1"
TOKEN_PATH = "/identity/v1/oauth2/token"
BULK = f"{INVENTORY}/bulk_update_price_quantity"
ENDPOINT = "https://syncd.test/hooks/ebay"
VERIFICATION_TOKEN = "a-verification-token-of-forty-characters"


@dataclass(slots=True)
class Endpoint:
    """Proves itself when challenged and takes notifications in, as a test wishes."""

    status: int = 204
    honest: bool = True
    got: list[httpx.Request] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._take)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.got]

    def _take(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            code = request.url.params["challenge_code"] if self.honest else "another code"
            proof = hashlib.sha256(f"{code}{VERIFICATION_TOKEN}{ENDPOINT}".encode()).hexdigest()
            return httpx.Response(200, json={"challengeResponse": proof})
        self.got.append(request)
        return httpx.Response(self.status)


class App:
    """An app with the seller's consent and, through the control face, the people around the account."""

    def __init__(self, sandbox: EbaySandbox, clock: SteppingClock, http: httpx.AsyncClient, endpoint: Endpoint) -> None:
        self.sandbox = sandbox
        self.seed = sandbox.seller.seed
        self.clock = clock
        self.http = http
        self.endpoint = endpoint
        self.token = ""
        self.app_token = ""
        self.answers: list[httpx.Response] = []

    # --- the vendor's face --------------------------------------------------------------------------------------

    async def ask_token(self, **form: str) -> httpx.Response:
        credentials = (self.seed.client_id, self.seed.client_secret)
        return await self.http.post(TOKEN_PATH, data=form, auth=credentials)

    async def sign_in(self) -> None:
        user = await self.ask_token(grant_type="refresh_token", refresh_token=self.seed.refresh_token)
        own = await self.ask_token(grant_type="client_credentials", scope="https://api.ebay.com/oauth/api_scope")
        self.token, self.app_token = user.json()["access_token"], own.json()["access_token"]

    async def call(
        self, method: str, path: str, body: object = None, *, as_app: bool = False, **query: Any
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.app_token if as_app else self.token}",
            "Accept-Language": "en-US",
        }
        params = {name: str(value) for name, value in query.items()} or None
        answer = await self.http.request(method, path, json=body, headers=headers, params=params)
        self.answers.append(answer)
        return answer

    async def get(self, path: str, *, as_app: bool = False, **query: Any) -> Any:
        answer = await self.call("GET", path, as_app=as_app, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def write(self, *entries: dict[str, Any]) -> httpx.Response:
        return await self.call("POST", BULK, {"requests": list(entries)})

    async def rows(self, *entries: dict[str, Any]) -> list[tuple[str | None, int, int | None]]:
        """(offer id, status, error id) of each row of a bulk write."""
        answer = await self.write(*entries)
        assert answer.status_code in (200, 207), answer.text
        rows = answer.json()["responses"]
        assert answer.status_code == (200 if all(row["statusCode"] == 200 for row in rows) else 207)
        return [
            (row.get("offerId"), row["statusCode"], row["errors"][0]["errorId"] if row["errors"] else None)
            for row in rows
        ]

    async def offer(self, sku: str) -> dict[str, Any]:
        (found,) = (await self.get(f"{INVENTORY}/offer", sku=sku))["offers"]
        told: dict[str, Any] = found
        return told

    async def entry(self, sku: str, item: int | None, offer: int | None = None) -> dict[str, Any]:
        """An entry of a bulk write for the item, its offer, or both."""
        made: dict[str, Any] = {"sku": sku}
        if item is not None:
            made["shipToLocationAvailability"] = {"quantity": item}
        if offer is not None:
            made["offers"] = [{"offerId": (await self.offer(sku))["offerId"], "availableQuantity": offer}]
        return made

    async def orders(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(ORDER, **query))["orders"]
        return found

    async def order(self, order_id: str) -> dict[str, Any]:
        told: dict[str, Any] = await self.get(f"{ORDER}/{order_id}")
        return told

    # --- the control face ---------------------------------------------------------------------------------------

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def refused(self, path: str, **body: Any) -> tuple[int, str]:
        """(status, field) of a control request that is not granted."""
        answer = await self.http.post(f"/_control/{path}", json=body)
        error = answer.json()["error"]
        assert error["problem"]
        assert error["remedy"]
        return answer.status_code, error["field"]

    async def report(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(f"/_control/{name}")).json()
        return told

    async def buy(self, sku: str, quantity: int = 1, **more: Any) -> str:
        """The id of a new order."""
        return str((await self.control("orders", lines=[{"sku": sku, "quantity": quantity}], **more))["id"])

    async def numbers(self, sku: str) -> tuple[int, int, int | None]:
        """(what buyers can have, the item's number, the offer's number if it has one), as they really are."""
        level = next(one for one in (await self.report("truth"))["levels"] if one["sku"] == sku)
        return level["available"], level["item_quantity"], level["offer_quantity"]

    async def meet(self, fault: str, operation: str | None = None, times: int = 1) -> None:
        await self.control("faults", next=[{"fault": fault, "operation": operation, "times": times}])

    # --- notifications ------------------------------------------------------------------------------------------

    async def subscribe(self) -> str:
        """Have ORDER_CONFIRMATION sent to the endpoint; the subscription's id."""
        destination = await self.call("POST", f"{NOTIFICATION}/destination", a_destination(), as_app=True)
        assert destination.status_code == 201, destination.text
        body = a_subscription(destination.headers["Location"].rsplit("/", 1)[1])
        subscription = await self.call("POST", f"{NOTIFICATION}/subscription", body)
        assert subscription.status_code == 201, subscription.text
        return subscription.headers["Location"].rsplit("/", 1)[1]

    async def verifies(self, request: httpx.Request) -> bool:
        """Whether a notification's signature is right by the public key that it names."""
        told = json.loads(base64.b64decode(request.headers["X-EBAY-SIGNATURE"]))
        answer = await self.get(f"{NOTIFICATION}/public_key/{told['kid']}", as_app=True)
        inner = answer["key"].removeprefix("-----BEGIN PUBLIC KEY-----").removesuffix("-----END PUBLIC KEY-----")
        key = serialization.load_der_public_key(base64.b64decode(inner))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        try:
            key.verify(base64.b64decode(told["signature"]), request.content, ec.ECDSA(hashes.SHA1()))
        except Exception:  # noqa: BLE001  whatever it is, the signature does not verify
            return False
        return True


def a_destination(**changes: Any) -> dict[str, Any]:
    config = {"endpoint": ENDPOINT, "verificationToken": VERIFICATION_TOKEN}
    return {"name": "syncd", "status": "ENABLED", "deliveryConfig": config, **changes}


def a_subscription(destination_id: str, **changes: Any) -> dict[str, Any]:
    payload = {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}
    body = {"topicId": "ORDER_CONFIRMATION", "status": "ENABLED", "destinationId": destination_id, "payload": payload}
    return {**body, **changes}


def window(name: str, start: datetime, end: datetime | None) -> str:
    """A date filter of getOrders."""
    return f"{name}:[{stamp(start)}..{stamp(end) if end else ''}]"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def error_id(answer: httpx.Response) -> tuple[int, int]:
    """(status, error id) of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["errorId"]


def a_seed(**changes: Any) -> SellerSeed:
    """An account with two items in which nothing goes wrong and nothing takes time unless a test wants it."""
    settings: dict[str, Any] = {
        "items": (ItemSeed("RED-CLOCK", quantity=10, price="19.90"), ItemSeed("BLUE-CLOCK", quantity=5)),
        "index_lag_s": 0.0,
        "write_latency_s": 0.0,
        "faults": FaultMix.none(),
    }
    return SellerSeed(**{**settings, **changes})


@dataclass(slots=True)
class Opened:
    """Opens sandboxes behind real sockets, closes them again and judges what they answered."""

    servers: list[TestServer] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)

    async def app(self, **changes: Any) -> App:
        clock, endpoint = SteppingClock(), Endpoint()
        sandbox = EbaySandbox(a_seed(**changes), clock, SeededRng(), webhook_transport=endpoint.transport())
        server = TestServer(sandbox.app)
        await server.start_server()
        self.servers.append(server)
        http = httpx.AsyncClient(base_url=str(server.make_url("/")), trust_env=False, verify=False)
        app = App(sandbox, clock, http, endpoint)
        self.apps.append(app)
        await app.sign_in()
        return app

    async def close(self) -> None:
        for app in self.apps:
            await app.http.aclose()
        for server in self.servers:
            await server.close()

    def wrongs(self) -> list[str]:
        """What the answers did that the vendor's documents do not allow; nothing where the documents are absent."""
        if not documents_at_hand():
            return []
        return [wrong for app in self.apps for answer in app.answers for wrong in wrongs(answer)]
