"""Tells people what was wrong with a control request, and what to send instead."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.shopify.sandbox.control_input import BadInput


class Refused(Exception):
    """The warehouse would not do it: which field, why, and what would do."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.remedy = remedy


class Missing(Exception):
    """There is no such thing in this account."""


@web.middleware
async def control_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """400 for input that can't be used, 409 for what the warehouse would not do, 404 for what it does not have."""
    try:
        return await handler(request)
    except BadInput as bad:
        return _error(400, bad.field, bad.problem, bad.remedy)
    except Refused as refused:
        return _error(409, refused.field, refused.problem, refused.remedy)
    except Missing as missing:
        return _error(404, "id", str(missing), "take a reference or an id from GET /_control/truth")


def _error(status: int, field: str, problem: str, remedy: str) -> web.Response:
    return web.json_response({"error": {"field": field, "problem": problem, "remedy": remedy}}, status=status)
