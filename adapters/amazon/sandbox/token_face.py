"""Login with Amazon over HTTP."""

from __future__ import annotations

from aiohttp import web

from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.tokens import Tokens
from adapters.amazon.sandbox.wire import UNAVAILABLE_PAGE
from adapters.sandbox_kit.oauth import OAuthRefused

FORM = "application/x-www-form-urlencoded"


class TokenFace:
    def __init__(self, tokens: Tokens, faults: Faults, stats: Stats) -> None:
        self._tokens = tokens
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/auth/o2/token", self.grant)

    async def grant(self, request: web.Request) -> web.Response:
        """Answer a form; anything else is not understood."""
        self._stats.requests["token"] += 1
        if self._faults.down:
            return web.Response(text=UNAVAILABLE_PAGE, status=503, content_type="text/html")
        form = await request.post() if request.content_type == FORM else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            if not fields:
                raise OAuthRefused(400, "invalid_request", "The request is missing a required parameter")
            return web.json_response(self._tokens.grant(fields), headers={"Cache-Control": "no-store"})
        except OAuthRefused as refused:
            error = {"error": refused.code, "error_description": refused.description}
            return web.json_response(error, status=refused.status)
