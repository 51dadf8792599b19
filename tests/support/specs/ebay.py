"""eBay's OpenAPI documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.support.specs.json_schema import Schema
from tests.support.specs.rest import Operation, Vendor, read_openapi
from tests.support.specs.shelf import spec

_DOCUMENTS = (
    "sell_inventory_v1_oas3.json",
    "sell_fulfillment_v1_oas3.json",
    "commerce_notification_v1_oas3.json",
    "commerce_identity_v1_oas3.json",
    "sell_account_v1_oas3.json",
    "sell_account_v2_oas3.json",
    "developer_analytics_v1_beta_oas3.json",
)
_OUTSIDE = (("POST", r"/identity/v1/oauth2/token"),)  # OAuth has no document
_COMMON = frozenset((401, 403, 429))  # any operation may answer these; the documents list only its own
_ERROR_NAMES = ("ErrorDetailV3", "Error")


@cache
def ebay() -> Vendor:
    operations: list[Operation] = []
    for name in _DOCUMENTS:
        document = json.loads(spec(f"ebay/{name}").read_bytes())
        document["components"]["schemas"] = _spelled(document["components"]["schemas"])
        base = document["servers"][0]["variables"]["basePath"]["default"]
        operations += read_openapi(document, base)
    return Vendor(operations, _OUTSIDE, "authorization", _COMMON, _error)


def _spelled(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas with enumerations as such: eBay calls them objects, and gives their values in the description."""
    return {name: _enumeration(schema) or schema for name, schema in schemas.items()}


def _enumeration(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    if schema.get("type") != "object" or schema.get("properties") or schema.get("additionalProperties"):
        return None
    values = re.findall(r"\*\*\s*([A-Z][A-Z0-9_]*)\s*\*\*", schema.get("description", ""))
    return {"type": "string", "enum": values} if values else {"type": "string"}


def _error(operation: Operation) -> Schema | None:
    """Errors come as a list, whatever the document says; it names the shape of one."""
    named = next(name for name in _ERROR_NAMES if name in operation.schemas)
    errors = {"type": "array", "items": operation.schemas.named(named)}
    properties = {"errors": {**errors, "minItems": 1}, "warnings": errors}
    return {"type": "object", "required": ["errors"], "properties": properties}
