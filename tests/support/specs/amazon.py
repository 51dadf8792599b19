"""Amazon's Swagger models of the Selling Partner API, and its schema of the order notification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from tests.support.specs.json_schema import FORMATS, Schema
from tests.support.specs.rest import Operation, Vendor, read_swagger
from tests.support.specs.shelf import spec

_MODELS = (
    "orders-api-model/orders_2026-01-01.json",
    "orders-api-model/ordersV0.json",
    "listings-items-api-model/listingsItems_2021-08-01.json",
    "fba-inventory-api-model/fbaInventory.json",
    "notifications-api-model/notifications.json",
    "sellers-api-model/sellers.json",
    "feeds-api-model/feeds_2021-06-30.json",
    "reports-api-model/reports_2021-06-30.json",
)
_OUTSIDE = (
    ("POST", r"/auth/o2/token"),  # Login with Amazon has no model
    ("POST", r"/"),  # the queue is not Amazon's marketplace
)
_NOTIFICATION = "amazon/schemas/notifications/OrderChangeNotification.json"


@cache
def amazon() -> Vendor:
    operations: list[Operation] = []
    for name in _MODELS:
        operations += read_swagger(json.loads(spec(f"amazon/models/{name}").read_bytes()))
    # 401: models list 403 only, while the guides give both for a token that is refused.
    return Vendor(operations, _OUTSIDE, "x-amz-access-token", frozenset((401,)), _error)


def notification_wrongs(body: Mapping[str, Any]) -> list[str]:
    """What the body of an ORDER_CHANGE notification does wrong."""
    validator = Draft7Validator(_notification(), format_checker=FORMATS)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]


@cache
def _notification() -> Any:
    return json.loads(spec(_NOTIFICATION).read_bytes())


def _error(operation: Operation) -> Schema | None:
    if 400 in operation.responses:  # most answer errors by a list of their own, some within the shape of a success
        return operation.responses[400]
    return None
