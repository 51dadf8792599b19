"""The front door of the Selling Partner API: who may come in, how often, and what goes wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from aiohttp import web

from adapters.amazon.sandbox.buckets import QUOTAS, Buckets
from adapters.amazon.sandbox.errors import Json, Refusal, internal_failure, invalid_input, quota_exceeded
from adapters.amazon.sandbox.faults import Fault, Faults
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.tokens import Tokens
from adapters.amazon.sandbox.wire import UNAVAILABLE_PAGE, Wire
from adapters.sandbox_kit.connection import hang_up

TOKEN_HEADER = "x-amz-access-token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Call:
    """A request that got in. `read_at` is set when a replica answers that has heard nothing since then."""

    query: Mapping[str, str]
    path: Mapping[str, str]
    body: bytes
    read_at: datetime | None


Effect = Callable[[Call], Json | None]  # does it at once, or raises Refusal; None answers 204


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    effect: Effect


class Gateway:
    """Lets requests through to the operations, one at a time and each as a whole."""

    def __init__(self, seller: Seller, tokens: Tokens, faults: Faults, stats: Stats, wire: Wire) -> None:
        self._seller = seller
        self._tokens = tokens
        self._buckets = Buckets(seller.clock)
        self._faults = faults
        self._stats = stats
        self._wire = wire

    def add_routes(self, app: web.Application, operations: list[Operation]) -> None:
        for operation in operations:
            app.router.add_route(operation.method, operation.path, partial(self._serve, operation))

    async def _serve(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._stats.requests[operation.name] += 1
        if self._faults.down:
            return self._page()
        try:
            fault = self._admit(operation, request, body)
            if fault is Fault.UNAVAILABLE:
                return self._page()
            if fault is Fault.TIMEOUT:
                return await self._wire.hang(request, self._faults.mix.hang_s)
            found = operation.effect(self._call(request, body, stale=fault is Fault.STALE_READ))
        except Refusal as refusal:
            return self._refuse(refusal)
        if fault is Fault.LOST_REPLY:
            return hang_up(request)
        if fault is Fault.LATE_REPLY:
            return await self._wire.hang(request, self._faults.mix.hang_s)
        return self._answer(operation.name, found, cut=fault is Fault.TRUNCATED_JSON)

    def _admit(self, operation: Operation, request: web.Request, body: bytes) -> Fault | None:
        """The fault this request meets further in, if any. Raises Refusal for one that does not get in."""
        token = request.headers.get(TOKEN_HEADER)
        self._tokens.check(token)
        if operation.method == "GET" and body:
            raise invalid_input("A GET request must not have a body.")
        if not self._buckets.take(operation.name):
            raise quota_exceeded()
        fault = self._faults.draw(operation.name)
        if fault is Fault.RATE_LIMIT:
            raise quota_exceeded()
        if fault is Fault.SERVER_ERROR:
            raise internal_failure()
        if fault is Fault.TOKEN_EXPIRY:
            self._tokens.expire(token)
            self._tokens.check(token)
        return fault

    def _call(self, request: web.Request, body: bytes, *, stale: bool) -> Call:
        behind = timedelta(seconds=self._faults.staleness()) if stale else None
        read_at = self._seller.now() - behind if behind is not None else None
        return Call(dict(request.query), dict(request.match_info), body, read_at)

    def _answer(self, operation: str, found: Json | None, *, cut: bool) -> web.Response:
        headers = self._request_id()
        if not self._faults.chance(self._faults.mix.rate_header_missing):
            headers["x-amzn-RateLimit-Limit"] = str(float(QUOTAS[operation].rate))
        if found is None:
            return web.Response(status=204, headers=headers)
        text = json.dumps(found)
        return web.json_response(text=text[: len(text) // 2] if cut else text, headers=headers)

    def _refuse(self, refusal: Refusal) -> web.Response:
        headers = self._request_id()
        if refusal.status == web.HTTPTooManyRequests.status_code:
            self._stats.throttled += 1
            headers["x-amzn-ErrorType"] = "TooManyRequestsException"
        return web.json_response(refusal.body(), status=refusal.status, headers=headers)

    def _page(self) -> web.Response:
        return web.Response(text=UNAVAILABLE_PAGE, status=503, content_type="text/html", headers=self._request_id())

    def _request_id(self) -> dict[str, str]:
        return {"x-amzn-RequestId": str(self._seller.rng.uuid())}
