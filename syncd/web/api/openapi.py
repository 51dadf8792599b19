"""The API's OpenAPI 3.1 document, made of the very types and parameters that answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from syncd.web.api.lists import ApiList
from syncd.web.api.parameters import PAGING, Parameter
from syncd.web.problems import PROBLEM_TYPE

_REF = "#/components/schemas/{name}"
_REFUSALS = {
    400: "A parameter is wrong.",
    401: "The token is missing or wrong.",
    403: "No token is configured, and the request does not come from this machine.",
    404: "Nothing goes by that name.",
    409: "Several go by that name.",
    503: "The database cannot be read now.",
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "parameter": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "remedy"],
}


def document(lists: Sequence[ApiList], version: str) -> dict[str, Any]:
    """The whole document, as JSON knows it."""
    types = [found for each in lists for found in (each.row, each.detail) if found is not None]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, Any] = {}
    for each in lists:
        paths[f"/api/v1/{each.name}"] = {"get": _list(each)}
        if each.detail is not None:
            paths[f"/api/v1/{each.name}/{{name}}"] = {"get": _detail(each, each.detail)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "syncd", "version": version, "description": "Stock, orders, listings and decisions to read."},
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _list(each: ApiList) -> dict[str, Any]:
    page = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": _ref(each.row)},
            "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."},
        },
        "required": ["items", "next"],
    }
    return {
        "operationId": f"list_{each.name}",
        "summary": each.summary,
        "parameters": [_parameter(one) for one in (*each.parameters, *PAGING)],
        "responses": {"200": _answer("A page.", page), **_refusals((400, 401, 403, 503))},
    }


def _detail(each: ApiList, detail: type) -> dict[str, Any]:
    return {
        "operationId": f"get_{each.name}",
        "summary": each.detail_summary,
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": _answer("Found.", _ref(detail)), **_refusals((400, 401, 403, 404, 409, 503))},
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    return {"name": one.name, "in": "query", "description": one.description, "schema": dict(one.schema)}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {str(status): {"description": _REFUSALS[status], "content": content} for status in statuses}


def _ref(row: type) -> dict[str, Any]:
    return {"$ref": _REF.format(name=row.__name__)}
