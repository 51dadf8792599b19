"""Time and chance for unit tests, and a shop that answers what it is told to."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import respx

BASE_URL = "https://red-clock.myshopify.com"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Json = dict[str, Any]
Answer = httpx.Response | Exception | Callable[[Json], httpx.Response]


class FakeClock:
    """Sleeping is instant and remembered."""

    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class SeededRng:
    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._random.getrandbits(128), version=4)


class ScriptedShop:
    """Answers each operation by name with the next scripted answer, the last one for ever. Remembers every call."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Answer]] = {}
        self.tokens: list[Answer] = [granted("token-1")]
        self.token_requests: list[Json] = []
        self.calls: list[tuple[str, Json]] = []
        self.requests: list[httpx.Request] = []
        router = respx.MockRouter(assert_all_called=False)
        router.post(f"{BASE_URL}/admin/oauth/access_token").mock(side_effect=self._grant)
        router.post(f"{BASE_URL}/admin/api/2026-10/graphql.json").mock(side_effect=self._answer)
        self.transport = httpx.MockTransport(router.async_handler)

    def script(self, operation: str, *answers: Answer) -> None:
        self.scripts[operation] = list(answers)

    def variables(self, operation: str) -> list[Json]:
        return [variables for name, variables in self.calls if name == operation]

    def _grant(self, request: httpx.Request) -> httpx.Response:
        self.token_requests.append(msgspec.json.decode(request.content))
        return _play(self.tokens, {})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        sent = msgspec.json.decode(request.content)
        self.calls.append((sent["operationName"], sent["variables"]))
        self.requests.append(request)
        return _play(self.scripts[sent["operationName"]], sent["variables"])


def _play(answers: list[Answer], variables: Json) -> httpx.Response:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, httpx.Response):
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    return answer(variables)


def granted(token: str, life_s: float = 86399) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, "scope": "read_orders", "expires_in": life_s})


def cost(available: float = 1990, requested: float = 10, maximum: float = 2000, rate: float = 100) -> Json:
    throttle = {"maximumAvailable": maximum, "currentlyAvailable": available, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": 8, "throttleStatus": throttle}}


def data(found: Json, extensions: Json | None = None, version: str = "2026-10") -> httpx.Response:
    body = {"data": found, "extensions": extensions or cost()}
    return httpx.Response(200, json=body, headers={"X-Shopify-API-Version": version, "x-request-id": "abc"})


def errors(*codes: str | None, found: Json | None = None, path: list[str | int] | None = None) -> httpx.Response:
    """GraphQL errors as they come: HTTP 200."""
    listed = [
        {"message": f"about {code}", "path": path or ["root"], "extensions": {"code": code} if code else {}}
        for code in codes
    ]
    return httpx.Response(200, json={"errors": listed, "data": found, "extensions": cost()})


def page(nodes: list[Any], after: str | None = None) -> Json:
    """A connection; `after`: the cursor of the next page."""
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}
