"""A sandbox's orders as they really are, some at a time: for whoever cannot hold them all at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice
from typing import Any, TypeVar

from aiohttp import web

from adapters.sandbox_kit.control_input import BadInput

PAGE, MOST = 500, 2000

Kept = TypeVar("Kept")


def wants_orders(request: web.Request) -> bool:
    """GET truth?orders=0: everything but the orders."""
    text = request.query.get("orders", "1")
    if text not in ("0", "1"):
        raise BadInput("orders", "is neither 0 nor 1", "give 0 to leave the orders out, or nothing")
    return text == "1"


def answer_orders(
    request: web.Request, orders: Collection[Kept], report: Callable[[Kept], dict[str, Any]]
) -> web.Response:
    """GET truth/orders?after=N&limit=M: the next orders after the first N, and whether there are more.

    `orders` are all of them in the order in which they were placed; none of them ever goes away.
    """
    after = _whole(request, "after", 0, 0, 10**9, "give how many orders you have already, or 0")
    limit = _whole(request, "limit", PAGE, 1, MOST, f"give a whole number from 1 to {MOST}")
    told = [report(order) for order in islice(orders, after, after + limit)]
    return web.json_response({"orders": told, "more": after + len(told) < len(orders)})


def _whole(request: web.Request, name: str, default: int, least: int, most: int, remedy: str) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise BadInput(name, "is not a usable whole number", remedy)
    return int(text)
