"""What requests cost, and what happens when the points run out."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.shopify.operations import ORDERS
from adapters.shopify.sandbox.cost import requested_cost, weight
from adapters.shopify.sandbox.documents import Documents, operation_in
from adapters.shopify.sandbox.schema import load_schema
from tests.unit.shopify_sandbox.documents import SET
from tests.unit.shopify_sandbox.kit import App, Opened, a_seed


async def test_requests_are_throttled_until_points_come_back(opened: Opened) -> None:
    app = await opened.app(a_seed(bucket_size=100, restore_per_s=10))
    query = "{ productVariants(first: 250) { nodes { id inventoryItem { id } } } }"  # 2 + 11 * 2
    answers = [await app.ask(query) for _ in range(7)]
    throttled = await _until_throttled(app, query)

    await app.clock.advance(30)
    restored = await app.ask(query)

    assert all("data" in answer for answer in answers)
    assert throttled["errors"] == [
        {
            "message": "Throttled",
            "extensions": {
                "code": "THROTTLED",
                "documentation": "https://shopify.dev/api/usage/rate-limits",
            },
        }
    ]
    cost = throttled["extensions"]["cost"]
    assert "data" not in throttled
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (24, None)
    assert cost["throttleStatus"]["maximumAvailable"] == 100
    assert cost["throttleStatus"]["currentlyAvailable"] < 24
    assert cost["throttleStatus"]["restoreRate"] == 10
    assert "data" in restored
    assert (await app.stats())["throttled"] == 1


async def _until_throttled(app: App, query: str) -> dict[str, Any]:
    for _ in range(100):
        answer = await app.ask(query)
        if "errors" in answer:
            return answer
    raise AssertionError("the bucket never ran dry")


async def test_what_was_not_needed_is_given_back(app: App) -> None:
    answer = await app.ask("{ productVariants(first: 250) { nodes { id inventoryItem { id } } } }")

    cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 24
    assert cost["actualQueryCost"] == 6  # two items: 2 + 2 * 2
    assert cost["throttleStatus"]["currentlyAvailable"] == 1994


async def test_a_query_above_the_cap_is_refused_before_it_runs(app: App) -> None:
    query = """{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id variant { id inventoryItem {
      id inventoryLevels(first: 50) { nodes { id } } } } } } } } }"""

    answer = await app.ask(query)

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["message"] == (
        f"Query cost is {answer['extensions']['cost']['requestedQueryCost']}, "
        "which exceeds the single query max cost limit (1000)."
    )
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 2000


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (2, 2), (3, 2), (5, 3), (10, 4), (20, 5), (50, 7), (100, 9)])
def test_a_page_is_charged_by_the_logarithm_of_its_size(size: int, expected: int) -> None:
    assert weight(size) == expected


@pytest.mark.parametrize(("first", "expected"), [(50, 142), (100, 182), (250, 222)])
def test_the_order_poll_costs_what_the_model_says(first: int, expected: int) -> None:
    query = """query Poll($first: Int!) { orders(first: $first, sortKey: UPDATED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes { id name shippingAddress { zip } refunds(first: 5) { id }
        lineItems(first: 20) { pageInfo { hasNextPage } nodes { id sku variant { id inventoryItem { id } } } } }
    } }"""

    assert _cost(query, {"first": first}) == expected


def test_the_largest_page_of_the_adapters_own_poll_fits_under_the_cap() -> None:
    cost = _cost(ORDERS.document, {"first": 250})

    assert ORDERS.cost == cost < 1000


def test_a_write_costs_thirteen_points_as_live() -> None:
    assert _cost(SET, {}) == 13


def _cost(query: str, variables: dict[str, Any]) -> int:
    schema = load_schema()
    document = Documents(schema).check(query).document
    assert document is not None
    operation = operation_in(document, None)
    assert operation is not None
    return requested_cost(schema, document, operation, variables)
