"""The API's routes: admit, read the parameters, read the database, answer or say what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import structlog
from aiohttp import web
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import SyncdError
from syncd.web.access import admit
from syncd.web.api.cursor import from_cursor, to_cursor
from syncd.web.api.lists import LISTS, ApiList, ReadOne
from syncd.web.api.openapi import document
from syncd.web.api.parameters import LIMIT, PAGING, read_parameters
from syncd.web.deps import WebDeps
from syncd.web.problems import Problem

log = structlog.get_logger(__name__)

_WITHIN_S = 10.0
Answer = Callable[[WebDeps, web.Request], Awaitable[Any]]


def api_routes(deps: WebDeps) -> list[web.RouteDef]:
    """Every route of the API."""
    routes = [web.get("/api/v1/openapi.json", _guarded(deps, partial(_document, document(LISTS, deps.version))))]
    for each in LISTS:
        routes.append(web.get(f"/api/v1/{each.name}", _guarded(deps, partial(_page, each))))
        if each.read_one is not None:
            routes.append(web.get(f"/api/v1/{each.name}/{{name:.+}}", _guarded(deps, partial(_one, each.read_one))))
    return routes


def _guarded(deps: WebDeps, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            admit(request, deps.api_token)
            told = await answer(deps, request)
        except Problem as err:
            return err.answer()
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    return handle


async def _document(told: Mapping[str, Any], deps: WebDeps, request: web.Request) -> Mapping[str, Any]:
    read_parameters(request.query, ())
    return told


async def _page(of: ApiList, deps: WebDeps, request: web.Request) -> dict[str, Any]:
    asked = read_parameters(request.query, (*of.parameters, *PAGING))
    filters = {each.name: request.query[each.name] for each in of.parameters if each.name in request.query}
    after = from_cursor(asked["cursor"], of.name, filters) if "cursor" in asked else None
    found = await _read(deps, of.read, after, asked.get("limit", LIMIT), asked)
    return {
        "items": found.rows,
        "next": None if found.after is None else to_cursor(of.name, filters, found.after),
    }


async def _one(read: ReadOne, deps: WebDeps, request: web.Request) -> Any:
    read_parameters(request.query, ())
    name = request.match_info["name"]
    if "\x00" in name:
        raise Problem(404, "nothing has a zero byte in its name", "Take it out")
    return await _read(deps, read, name)


async def _read(deps: WebDeps, function: Callable[..., Any], *args: Any) -> Any:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await deps.db.read(_called, function, args)
    except (SQLAlchemyError, SyncdError, TimeoutError) as err:
        log.error("api.unreadable", error=type(err).__name__, exc_info=err)
        raise Problem(
            503,
            "the database cannot be read now",
            "Ask again later; the log has the details",
            headers={"Retry-After": "5"},
        ) from err


def _called(connection: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return function(connection, *args)
