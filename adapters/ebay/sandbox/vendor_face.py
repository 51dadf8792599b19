"""The vendor's side over HTTP: who gets in, what goes wrong on the way, and the answer's form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qsl

from aiohttp import web

from adapters.ebay.sandbox.calls import Answer, Call, Operation
from adapters.ebay.sandbox.errors import (
    ApiError,
    account_error,
    fulfillment_error,
    inventory_error,
    notification_error,
    too_many_requests,
)
from adapters.ebay.sandbox.faults import Fault, Faults
from adapters.ebay.sandbox.price_quantity import concurrent_access
from adapters.ebay.sandbox.quotas import DAILY, Quotas
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.stats import Stats
from adapters.ebay.sandbox.tokens import Tokens, require
from adapters.sandbox_kit.connection import hang_up
from adapters.sandbox_kit.oauth import OAuthRefused

TOKEN = "token"  # noqa: S105  the name of an operation
TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105  a path

_PAGES = {
    403: "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    "You don't have permission to access this resource on this server.<P>\nReference&#32;&#35;18&#46;sandbox\n"
    "</BODY>\n</HTML>\n",
    503: "<HTML><HEAD>\n<TITLE>Service Unavailable</TITLE>\n</HEAD><BODY>\n<H1>Service Unavailable - Zero size object"
    "</H1>\nThe server is temporarily unable to service your request.\n</BODY></HTML>\n",
}


class VendorFace:
    """What an app sees of the account."""

    def __init__(
        self,
        seller: Seller,
        operations: Sequence[Operation],
        tokens: Tokens,
        quotas: Quotas,
        faults: Faults,
        stats: Stats,
    ) -> None:
        self._seller = seller
        self._operations = operations
        self._tokens = tokens
        self._quotas = quotas
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post(TOKEN_PATH, self.access_token)
        for operation in self._operations:
            app.router.add_route(operation.method, operation.path, partial(self.serve, operation))

    async def access_token(self, request: web.Request) -> web.StreamResponse:
        form = dict(parse_qsl((await request.read()).decode(errors="replace")))
        self._stats.requests[TOKEN] += 1
        if self._faults.down:
            return self._page(503)
        fault = self._faults.draw(TOKEN, bulk_write=False)
        failed = await self._before_effect(request, fault, _system_error("oauth"))
        if failed is not None:
            return failed
        return self._after_effect(request, fault, self._granted(request, form))

    async def serve(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        """Answer one request. The fault it meets, if any, is settled first."""
        body = await request.read()
        self._stats.requests[operation.name] += 1
        if self._faults.down:
            return self._page(503)
        fault = self._faults.draw(operation.name, bulk_write=operation.bulk_write)
        failed = await self._before_effect(request, fault, _system_error(operation.api))
        if failed is not None:
            return failed
        return self._after_effect(request, fault, await self._answered(operation, request, body, fault))

    async def _answered(self, operation: Operation, request: web.Request, body: bytes, fault: Fault | None) -> Answer:
        try:
            token = self._tokens.opened_by(request.headers.get("Authorization"))
            require(token, operation.scopes, app_only=operation.app_only)
            self._quotas.take(operation.api)
            stale = timedelta(seconds=self._faults.staleness()) if fault is Fault.STALE_READ else None
            read_at = self._seller.now() - stale if stale is not None else None
            return await operation.handler(Call(request, body, token, read_at, fault is Fault.ROW_FAILURE))
        except ApiError as refused:
            return self._refusal(refused)

    def _granted(self, request: web.Request, form: Mapping[str, str]) -> Answer:
        resource = f"oauth.{form.get('grant_type')}"
        try:
            if resource in DAILY:
                self._quotas.take(resource)
            return Answer(200, self._tokens.grant(request.headers.get("Authorization"), form))
        except OAuthRefused as refused:
            return Answer(refused.status, {"error": refused.code, "error_description": refused.description})
        except ApiError as refused:
            return self._refusal(refused)

    async def _before_effect(
        self, request: web.Request, fault: Fault | None, system_error: ApiError
    ) -> web.StreamResponse | None:
        """The answer of a request that never takes effect, or None."""
        if fault is Fault.UNAVAILABLE:
            return self._page(503)
        if fault is Fault.FORBIDDEN_PAGE:
            return self._page(403)
        if fault is Fault.TIMEOUT:
            await self._seller.clock.sleep(self._faults.mix.hang_s)
            return hang_up(request)
        if fault is Fault.TOKEN_EXPIRY:
            self._tokens.expire(request.headers.get("Authorization"))
        refusals = {
            Fault.RATE_LIMIT: too_many_requests(),
            Fault.SERVER_ERROR: system_error,
            Fault.CONCURRENT_ACCESS: concurrent_access(),
        }
        refusal = refusals.get(fault) if fault is not None else None
        return self._sent(self._refusal(refusal)) if refusal is not None else None

    def _after_effect(self, request: web.Request, fault: Fault | None, answer: Answer) -> web.StreamResponse:
        if fault is Fault.LOST_REPLY:
            return hang_up(request)
        return self._sent(answer, cut_short=fault is Fault.TRUNCATED_JSON)

    def _refusal(self, refused: ApiError) -> Answer:
        self._stats.throttled += refused.status == 429
        return Answer(refused.status, {"errors": [refused.error]})

    def _sent(self, answer: Answer, *, cut_short: bool = False) -> web.Response:
        headers = {**self._request_id(), **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        text = json.dumps(answer.body)
        return web.json_response(
            text=text[: len(text) // 2] if cut_short else text, status=answer.status, headers=headers
        )

    def _page(self, status: int) -> web.Response:
        """Akamai's own page: not JSON, whatever was asked."""
        return web.Response(text=_PAGES[status], status=status, content_type="text/html")

    def _request_id(self) -> dict[str, str]:
        return {"x-ebay-c-request-id": str(self._seller.rng.uuid())}


def _system_error(api: str) -> ApiError:
    """What a 500 of that API says."""
    if api == "sell.fulfillment":
        return fulfillment_error(500, 30500, "System error")
    if api == "sell.inventory":
        return inventory_error(500, 25001, "A system error has occurred.")
    if api == "sell.account":
        return account_error(500, 396500, "Internal Server Error. Please try again later.")
    return notification_error(500, 195000, "There was a problem with an eBay internal system or process.")
