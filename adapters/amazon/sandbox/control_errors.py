"""Tells people what was wrong with a control request, and what to send instead."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.order_desk import Refused
from adapters.shopify.sandbox.control_input import BadInput


class Missing(Exception):
    """There is no such order."""


@web.middleware
async def control_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """400 for input that can't be used, 409 for what Amazon would not do, 404 for what it does not have."""
    try:
        return await handler(request)
    except BadInput as bad:
        return _error(400, bad.field, bad.problem, bad.remedy, {})
    except Refused as refused:
        return _error(409, refused.field, refused.problem, refused.remedy, refused.facts)
    except Missing as missing:
        return _error(404, "id", str(missing), "take an id from POST /_control/orders or GET /_control/truth", {})


def _error(status: int, field: str, problem: str, remedy: str, facts: Json) -> web.Response:
    error = {"field": field, "problem": problem, "remedy": remedy, **facts}
    return web.json_response({"error": error}, status=status)
