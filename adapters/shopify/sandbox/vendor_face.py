"""The vendor's side over HTTP: tokens and GraphQL, with everything that goes wrong on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from aiohttp import web

from adapters.sandbox_kit.connection import hang_up
from adapters.sandbox_kit.oauth import OAuthRefused
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.faults import Fault, Faults
from adapters.shopify.sandbox.graphql_api import Call, GraphQlApi
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.tokens import INVALID_TOKEN, Tokens
from adapters.shopify.sandbox.versions import served

UNAVAILABLE_PAGE = (
    "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head>"
    "<body><h1>Something went wrong</h1><p>What happened? Please try again in a few minutes.</p></body></html>"
)


class VendorFace:
    """What an app sees of the shop."""

    def __init__(self, shop: Shop, api: GraphQlApi, tokens: Tokens, faults: Faults, stats: Stats) -> None:
        self._shop = shop
        self._api = api
        self._tokens = tokens
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/admin/oauth/access_token", self.access_token)
        app.router.add_post("/admin/api/{version}/graphql.json", self.graphql)

    async def access_token(self, request: web.Request) -> web.StreamResponse:
        self._stats.requests["token"] += 1
        if self._faults.down:
            return self._html(503, UNAVAILABLE_PAGE)
        asked = _object(await request.read())
        try:
            return self._json(200, self._tokens.grant(asked or {}))
        except OAuthRefused as refused:
            if refused.code == "application_cannot_be_found":
                return self._html(400, f"<!DOCTYPE html><p>Oauth error {refused.code}: {refused.description}</p>")
            return self._json(refused.status, {"error": refused.code, "error_description": refused.description})

    async def graphql(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. The fault it meets, if any, is settled first."""
        version = {"X-Shopify-API-Version": served(request.match_info["version"])}
        body = _object(await request.read())
        if body is None or not _is_request(body):
            return self._json(400, {"errors": {"query": "Required parameter missing or invalid"}}, version)
        call = self._api.read(body["query"], body.get("variables") or {}, body.get("operationName"))
        names = call.root_names if isinstance(call, Call) else []
        self._stats.requests.update(names or ["invalid"])
        if self._faults.down:
            return self._html(503, UNAVAILABLE_PAGE)
        fault = self._faults.draw(names)
        token = request.headers.get("X-Shopify-Access-Token")
        failed = await self._before_effect(request, fault, token)
        if failed is not None:
            return failed
        if not self._tokens.opens(token):
            return self._json(401, INVALID_TOKEN, version)
        answer = await self._answer(call, stale=fault is Fault.STALE_READ)
        if fault is Fault.LOST_REPLY:
            return hang_up(request)
        text = json.dumps(answer)
        if fault is Fault.TRUNCATED_JSON:
            text = text[: len(text) // 2]
        return self._json(200, text, version)

    async def _answer(self, call: Call | Json, *, stale: bool) -> Json:
        if not isinstance(call, Call):
            return call
        read_at = self._shop.now() - timedelta(seconds=self._faults.staleness()) if stale else None
        return await self._api.answer(call, read_at)

    async def _before_effect(
        self, request: web.Request, fault: Fault | None, token: str | None
    ) -> web.StreamResponse | None:
        """The answer of a request that never reaches the shop, or None."""
        if fault is Fault.RATE_LIMIT:
            # Live sends Retry-After as a decimal number; the seconds are the seller's.
            headers = {"Retry-After": str(float(self._faults.mix.retry_after_s))}
            return self._json(429, {"errors": "Exceeded the rate limit of the API. Please try again."}, headers)
        if fault is Fault.SERVER_ERROR:
            return self._json(500, {"errors": "Internal Server Error"})
        if fault is Fault.UNAVAILABLE:
            return self._html(503, UNAVAILABLE_PAGE)
        if fault is Fault.INTERNAL_ERROR:
            return self._json(200, _internal_error(str(self._shop.rng.uuid())))
        if fault is Fault.TIMEOUT:
            await self._shop.clock.sleep(self._faults.mix.hang_s)
            return hang_up(request)
        if fault is Fault.TOKEN_EXPIRY:
            self._tokens.expire(token)
        return None

    def _json(self, status: int, body: Json | str, headers: dict[str, str] | None = None) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.json_response(text=text, status=status, headers={**self._request_id(), **(headers or {})})

    def _html(self, status: int, page: str) -> web.Response:
        return web.Response(text=page, status=status, content_type="text/html", headers=self._request_id())

    def _request_id(self) -> dict[str, str]:
        return {"x-request-id": str(self._shop.rng.uuid())}


def _object(body: bytes) -> Json | None:
    """The JSON object in a body, or None."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_request(body: Json) -> bool:
    operation_name = body.get("operationName")
    named_well = operation_name is None or isinstance(operation_name, str)
    return isinstance(body.get("query"), str) and isinstance(body.get("variables") or {}, dict) and named_well


def _internal_error(request_id: str) -> Json:
    message = (
        "Internal error. Looks like something went wrong on our end.\n"
        f"Request ID: {request_id} (include this in support requests)."
    )
    return {"errors": [{"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}}]}
