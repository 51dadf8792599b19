"""The vendor's side over HTTP: the token, the window of calls, and everything that goes wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiohttp import web

from adapters.contract import Clock
from adapters.sandbox_kit.connection import hang_up
from adapters.shipbob.sandbox.access import Access
from adapters.shipbob.sandbox.faults import Fault, Faults
from adapters.shipbob.sandbox.operations import Asked, Operation, Operations
from adapters.shipbob.sandbox.order_form import Invalid
from adapters.shipbob.sandbox.order_list import BadQuery
from adapters.shipbob.sandbox.quota import Quota
from adapters.shipbob.sandbox.stats import Stats

UNAVAILABLE_PAGE = (
    "<!DOCTYPE html><html><head><title>503 Service Temporarily Unavailable</title></head>"
    "<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>"
)
TITLES = {401: "Unauthorized", 403: "Forbidden"}


class VendorFace:
    """What a client sees of the account."""

    def __init__(
        self,
        api_version: str,
        operations: Operations,
        access: Access,
        quota: Quota,
        faults: Faults,
        stats: Stats,
        clock: Clock,
    ) -> None:
        self._api_version = api_version
        self._operations = operations
        self._access = access
        self._faults = faults
        self._stats = stats
        self._quota = quota
        self._clock = clock

    def add_routes(self, app: web.Application) -> None:
        does = self._operations
        routes: list[tuple[str, str, str, Operation]] = [
            ("GET", "channel", "channel.list", does.channels),
            ("GET", "location", "location.list", does.locations),
            ("GET", "inventory-level/locations", "levels", does.levels),
            ("GET", "order", "order.list", does.orders),
            ("POST", "order", "order.create", does.create_order),
            ("GET", r"order/{id:\d+}", "order.get", does.order),
            ("POST", r"order/{id:\d+}:cancel", "order.cancel", does.cancel_order),
            ("GET", r"order/{id:\d+}/shipment", "shipment.list", does.shipments),
            ("GET", r"shipment/{id:\d+}", "shipment.get", does.shipment),
            ("GET", "webhook", "webhook.list", does.webhooks),
            ("POST", "webhook", "webhook.create", does.create_webhook),
            ("DELETE", "webhook/{id}", "webhook.delete", does.delete_webhook),
        ]
        for method, path, name, operation in routes:
            app.router.add_route(method, f"/{self._api_version}/{path}", self._serve(name, operation))

    def _serve(self, name: str, operation: Operation) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, name, operation)

        return serve

    async def _answer(self, request: web.Request, name: str, operation: Operation) -> web.StreamResponse:
        """Answer one request. The fault it meets, if any, is settled first."""
        content = await request.read()
        self._stats.requests[name] += 1
        if self._faults.down:
            return _html(503, UNAVAILABLE_PAGE)
        fault = self._faults.draw(name)
        failed = await self._before_effect(request, fault) or self._refused(request, name)
        if failed is not None:
            return failed
        if not self._quota.take():
            return self._too_many(self._quota.wait_s)
        stale_s = self._faults.staleness() if fault is Fault.STALE_READ else None
        read_at = self._clock.now() - timedelta(seconds=stale_s) if stale_s is not None else None
        try:
            asked = Asked(dict(request.match_info), dict(request.query), _decoded(content), read_at)
            status, body = operation(asked)
        except Invalid as invalid:
            status, body = 422, invalid.errors
        except BadQuery as bad:
            status, body = 400, {bad.field: [bad.problem]}
        if fault is Fault.LOST_REPLY:
            return hang_up(request)
        return self._json(status, body, truncated=fault is Fault.TRUNCATED_JSON)

    async def _before_effect(self, request: web.Request, fault: Fault | None) -> web.StreamResponse | None:
        """The answer of a request that never reaches the account, or None."""
        if fault is Fault.RATE_LIMIT:
            return self._too_many(max(1, round(self._faults.mix.retry_after_s)))
        if fault is Fault.SERVER_ERROR:
            return web.Response(status=500)
        if fault is Fault.UNAVAILABLE:
            return _html(503, UNAVAILABLE_PAGE)
        if fault is Fault.TIMEOUT:
            await self._clock.sleep(self._faults.mix.hang_s)
            return hang_up(request)
        return None

    def _refused(self, request: web.Request, name: str) -> web.StreamResponse | None:
        status = self._access.refusal(request.headers)
        if status is not None:
            return web.json_response({"title": TITLES[status], "status": status}, status=status)
        if name == "order.create" and "shipbob_channel_id" not in request.headers:
            return web.json_response({"shipbob_channel_id": ["The shipbob_channel_id field is required."]}, status=400)
        return None

    def _too_many(self, wait_s: int) -> web.Response:
        self._stats.throttled += 1
        body = {"statusCode": 429, "message": f"Rate limit is exceeded. Try again in {wait_s} seconds."}
        headers = {"x-retry-after": str(wait_s), "x-remaining-calls": "0"}
        return web.json_response(body, status=429, headers=headers)

    def _json(self, status: int, body: Any, *, truncated: bool) -> web.Response:
        headers = {"x-remaining-calls": str(self._quota.remaining)}
        if body is None:
            return web.Response(status=status, headers=headers)
        text = json.dumps(body)
        return web.json_response(text=text[: len(text) // 2] if truncated else text, status=status, headers=headers)


def _decoded(content: bytes) -> Any:
    """The JSON of a body; None for what is none."""
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _html(status: int, page: str) -> web.Response:
    return web.Response(text=page, status=status, content_type="text/html")
