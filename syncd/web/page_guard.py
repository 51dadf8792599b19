"""Status page and metrics are for whom the API is for: a browser asks its user, and says plainly who may look."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from jinja2 import Environment

from syncd.web.access import admit
from syncd.web.answers import Handler
from syncd.web.page import page_headers
from syncd.web.page_accept import prefers_html
from syncd.web.problems import Problem

_HEADLINES: Final = {401: "This page wants the token", 403: "This page is for this machine alone"}


class Guard:
    """Lets to a handler only whoever may read."""

    def __init__(self, token: str | None, environment: Environment) -> None:
        self._token = token
        self._environment = environment

    def __call__(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                admit(request, self._token, browser=True)
            except Problem as err:
                return self._refuse(request, err)
            return await handler(request)

        return guarded

    def _refuse(self, request: web.Request, err: Problem) -> web.Response:
        if not prefers_html(request.headers.get("Accept", "")):
            return err.answer()
        body = self._environment.get_template("refused.html").render(headline=_HEADLINES[err.status], problem=err)
        headers = page_headers() | dict(err.headers or {})
        return web.Response(text=body, status=err.status, headers=headers, content_type="text/html")
