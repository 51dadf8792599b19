"""eBay's OpenAPI documents as judges of answers: the status is listed, and no field is wrong, missing or unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.conftest import SHARED

_DOCUMENTS = ("sell_inventory_v1", "sell_fulfillment_v1", "commerce_notification_v1", "developer_analytics_v1_beta")
_COMMON = {401, 403, 429, 503}  # any operation may answer these; the documents list only its own
_GATEWAY_ERROR = 2004  # the documents list only what the API itself refuses


def documents_at_hand() -> bool:
    return all(_path(name).is_file() for name in _DOCUMENTS)


def wrongs(response: httpx.Response) -> list[str]:
    """What an answer does that the vendor's document does not allow."""
    request = response.request
    path = request.url.path
    told = next((each for each in _operations() if each[0] == request.method and each[1].fullmatch(path)), None)
    if told is None:
        return [f"{request.method} {path}: no such operation in the documents"]
    _, _, responses, schemas = told
    what = f"{request.method} {path} {response.status_code}"
    if response.status_code not in {int(status) for status in responses} | _COMMON:
        return [f"{what}: no such status in the document"]
    if not response.content or "json" not in response.headers["Content-Type"]:
        return []
    schema = _error(schemas) if response.status_code >= 400 else _success(responses[str(response.status_code)])
    validator = Draft202012Validator({"components": {"schemas": schemas}, "allOf": [schema]})
    return [f"{what}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(response.json())]


def _error(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Errors come as a list; the document names the shape of one."""
    errors = {"type": "array", "items": {"$ref": "#/components/schemas/Error"}, "minItems": 1}
    return {"type": "object", "required": ["errors"], "properties": {"errors": errors}, "additionalProperties": False}


def _success(told: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = told.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Mapping[str, Any], Mapping[str, Any]]]:
    return [operation for name in _DOCUMENTS for operation in _read(name)]


def _read(name: str) -> Iterator[tuple[str, re.Pattern[str], Mapping[str, Any], Mapping[str, Any]]]:
    document = json.loads(_path(name).read_bytes())
    base = document["servers"][0]["variables"]["basePath"]["default"]
    schemas = {each: _closed(schema) for each, schema in document["components"]["schemas"].items()}
    for path in sorted(document["paths"], key=lambda path: path.count("{")):
        pattern = re.compile(base + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
        for method, told in document["paths"][path].items():
            if isinstance(told, dict) and "responses" in told:
                yield method.upper(), pattern, told["responses"], schemas


def _closed(schema: Any) -> Any:
    """JSON Schema in which unknown fields are wrong. The documents call their enums objects; they are texts."""
    if not isinstance(schema, dict):
        return schema
    if "enum" in schema:
        return {"enum": schema["enum"]}
    made = {key: schema[key] for key in ("type", "$ref", "required") if key in schema}
    if isinstance(schema.get("items"), dict):
        made["items"] = _closed(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: _closed(each) for name, each in schema["properties"].items()}
        made["additionalProperties"] = False
    return made


def _path(name: str) -> Path:
    return SHARED / "specs" / "ebay" / f"{name}_oas3.json"
