"""Answers that every route shares: refusals as JSON, and what a browser may do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def json_answer(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    body = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def refusal(status: int, error: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return json_answer({"error": error}, status, headers)


@web.middleware
async def guard_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into JSON that tells nothing of our insides, and forbid sniffing and caching."""
    try:
        response = await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as err:
        kept = {name: value for name, value in err.headers.items() if name == "Allow"}
        response = refusal(err.status, err.reason.lower(), kept)
    except Exception as err:
        log.error("request.failed", route=_route(request), error=type(err).__name__, exc_info=err)
        response = refusal(500, "syncd failed to answer; its log has the details")
    response.headers.setdefault("Server", "syncd")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@web.middleware
async def log_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The access log: routes as they are declared, never what a visitor wrote."""
    now = asyncio.get_running_loop().time
    began = now()
    response = await handler(request)
    log.info(
        "request.answered",
        method=request.method,
        route=_route(request),
        status=response.status,
        ms=round((now() - began) * 1000, 1),
    )
    return response


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"
