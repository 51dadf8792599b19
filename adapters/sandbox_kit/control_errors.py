"""Tells people what was wrong with a control request, and what to send instead."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.sandbox_kit.control_input import BadInput


class Refused(Exception):
    """The vendor itself would not do that: which field, why, what would do, and whatever else is worth telling."""

    def __init__(self, field: str, problem: str, remedy: str, **facts: object) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.remedy = remedy
        self.facts = facts


class Missing(Exception):
    """There is no such order here."""

    def __init__(
        self, problem: str, remedy: str = "take an id from POST /_control/orders or GET /_control/truth"
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@web.middleware
async def control_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """400 for input that can't be used, 409 for what the vendor would not do, 404 for what it does not have."""
    try:
        return await handler(request)
    except BadInput as bad:
        return _error(400, bad.field, bad.problem, bad.remedy)
    except Refused as refused:
        return _error(409, refused.field, refused.problem, refused.remedy, **refused.facts)
    except Missing as missing:
        return _error(404, "id", missing.problem, missing.remedy)


def _error(status: int, field: str, problem: str, remedy: str, **facts: object) -> web.Response:
    error = {"field": field, "problem": problem, "remedy": remedy, **facts}
    return web.json_response({"error": error}, status=status)
