"""The aiohttp application: its routes, and what each answers."""

from __future__ import annotations

from typing import Final

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import SyncdError
from syncd.web.answers import guard_answers, json_answer, log_requests, refusal
from syncd.web.api import api_routes
from syncd.web.deps import WebDeps
from syncd.web.metrics import render_metrics
from syncd.web.page import StatusPage
from syncd.web.page_accept import prefers_html
from syncd.web.page_assets import Assets
from syncd.web.page_guard import Guard
from syncd.web.readiness import Readiness
from syncd.web.source import StatusSource, Unreadable
from syncd.web.warehouse_news import WarehouseNews
from syncd.web.webhooks import BODY_LIMIT, Webhooks

__all__ = ["WEBHOOKS", "WebDeps", "make_app"]

log = structlog.get_logger(__name__)

WEBHOOKS: Final = web.AppKey("webhooks", Webhooks)
"""`await app[WEBHOOKS].flush_counts()` is a job: forged webhooks are counted in memory until then."""


def make_app(deps: WebDeps) -> web.Application:
    """The web application. Close its runner before the database: cleaning up flushes the counts."""
    middlewares = [guard_answers]
    app = web.Application(
        middlewares=[log_requests, *middlewares] if deps.log_requests else middlewares,
        client_max_size=BODY_LIMIT,
    )
    app[WEBHOOKS] = Webhooks(deps)
    views = _Views(deps)
    guarded = Guard(deps.api_token, views.page.environment)
    app.add_routes(
        [
            web.get("/", _to_status),
            web.get("/healthz", _healthy),
            web.get("/readyz", views.ready),
            web.get("/status", guarded(views.status)),
            web.get("/status/parts/{part}", guarded(views.page.part)),
            web.get("/status/accounts/{account}", guarded(views.page.account)),
            web.get("/status/sku", guarded(views.page.sku)),
            web.get("/static/{name}", views.assets.answer),
            web.get("/metrics", guarded(views.metrics)),
            web.post("/webhooks/{account}", app[WEBHOOKS].receive),
            web.get("/webhooks/{account}", app[WEBHOOKS].challenge, allow_head=False),
            web.post("/webhooks/warehouses/{warehouse}", WarehouseNews(deps).receive),
            *api_routes(deps),
        ]
    )
    app.on_cleanup.append(_flush)
    return app


class _Views:
    """What is read of the daemon."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._source = StatusSource(deps)
        self._readiness = Readiness(deps)
        self.assets = Assets()
        self.page = StatusPage(deps, self._source, self.assets)

    async def ready(self, _: web.Request) -> web.Response:
        problems = await self._readiness.problems()
        return json_answer({"ready": not problems, "problems": problems}, 503 if problems else 200)

    async def status(self, request: web.Request) -> web.Response:
        wanted = request.query.get("format")
        html = prefers_html(request.headers.get("Accept", "")) if wanted is None else wanted == "html"
        if html:
            return await self.page.whole(request)
        try:
            status = await self._source.read()
        except Unreadable as err:
            return _unreadable(err)
        head = {"version": self._deps.version, "started_at": self._deps.started_at}
        if standing := self._deps.standing():
            head |= {"configuration": standing}
        return json_answer(head | status.to_json(), headers={"Vary": "Accept"})

    async def metrics(self, request: web.Request) -> web.Response:
        try:
            status = await self._source.read()
        except Unreadable as err:
            return _unreadable(err)
        accept = request.headers.get("Accept", "")
        body, content_type = render_metrics(status, self._deps.version, self._deps.started_at, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})


def _unreadable(err: Unreadable) -> web.Response:
    return refusal(503, str(err), {"Retry-After": "5"})


async def _to_status(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/status")


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _flush(app: web.Application) -> None:
    try:
        await app[WEBHOOKS].flush_counts()
    except (SQLAlchemyError, SyncdError) as err:
        log.warning("webhook.counts_lost", error=type(err).__name__)
