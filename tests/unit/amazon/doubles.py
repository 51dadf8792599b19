"""An Amazon that answers what it is told to. Time and chance are those of the Shopify tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from tests.unit.shopify.doubles import NOW, FakeClock, SeededRng

BASE_URL = "https://sellingpartnerapi-na.example"
TOKEN_URL = "https://lwa.example/auth/o2/token"
SELLER = "A3TH9S8BH6GOGM"
HOME = "ATVPDKIKX0DER"
Json = dict[str, Any]
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
__all__ = ["BASE_URL", "HOME", "NOW", "SELLER", "TOKEN_URL", "FakeClock", "ScriptedAmazon", "SeededRng"]


class ScriptedAmazon:
    """Answers each operation with the next scripted answer, the last one for ever. Remembers every request."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Answer]] = {}
        self.tokens: list[Answer] = [granted("Atza|1")]
        self.token_requests: list[dict[str, str]] = []
        self.requests: list[httpx.Request] = []
        self.operations: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def script(self, operation: str, *answers: Answer) -> None:
        self.scripts[operation] = list(answers)

    def sent(self, operation: str) -> list[httpx.Request]:
        pairs = zip(self.operations, self.requests, strict=True)
        return [request for name, request in pairs if name == operation]

    def params(self, operation: str) -> list[dict[str, str]]:
        return [dict(request.url.params) for request in self.sent(operation)]

    def bodies(self, operation: str) -> list[Json]:
        return [msgspec.json.decode(request.content) for request in self.sent(operation)]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            form = parse_qs(request.content.decode(), strict_parsing=True)
            self.token_requests.append({name: values[0] for name, values in form.items()})
            return await _play(self.tokens, request)
        operation = _operation(request)
        self.operations.append(operation)
        self.requests.append(request)
        return await _play(self.scripts[operation], request)


def _operation(request: httpx.Request) -> str:
    parts = request.url.raw_path.split(b"?")[0].decode().strip("/").split("/")
    match (request.method, *parts):
        case ("GET", "orders", "2026-01-01", "orders"):
            return "searchOrders"
        case ("GET", "orders", "2026-01-01", "orders", _):
            return "getOrder"
        case ("GET", "listings", "2021-08-01", "items", _):
            return "searchListingsItems"
        case ("GET", "listings", "2021-08-01", "items", _, _):
            return "getListingsItem"
        case ("PATCH", "listings", "2021-08-01", "items", _, _):
            return "patchListingsItem"
        case ("GET", "fba", "inventory", "v1", "summaries"):
            return "getInventorySummaries"
        case ("GET", "sellers", "v1", "marketplaceParticipations"):
            return "getMarketplaceParticipations"
    raise AssertionError(f"no such operation: {request.method} {request.url}")


async def _play(answers: list[Answer], request: httpx.Request) -> httpx.Response:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, httpx.Response):
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    return answer(request)


def granted(token: str, life_s: float = 3600) -> httpx.Response:
    body = {"access_token": token, "token_type": "bearer", "expires_in": life_s, "refresh_token": "Atzr|hush"}
    return httpx.Response(200, json=body)


def ok(body: Json, rate: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=body, headers={"x-amzn-RateLimit-Limit": rate} if rate else {})


def refused(status: int, code: str = "InvalidInput", message: str = "no", details: str = "") -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"code": code, "message": message, "details": details}]})


def throttled() -> httpx.Response:
    return refused(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
