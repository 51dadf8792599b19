"""ShipBob's OpenAPI document of the version that the adapter asks for."""

from __future__ import annotations

import json
from functools import cache

from tests.support.specs.json_schema import Schema
from tests.support.specs.rest import Operation, Vendor, read_openapi
from tests.support.specs.shelf import spec

_COMMON = frozenset((429,))  # from the gateway in front of every operation


@cache
def shipbob() -> Vendor:
    document = json.loads(spec("threepl/shipbob-openapi-2026-01.json").read_bytes())
    return Vendor(read_openapi(document), (), "authorization", _COMMON, _error)


def _error(operation: Operation) -> Schema | None:
    return None
