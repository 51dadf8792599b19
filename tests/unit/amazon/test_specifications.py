"""What we send and understand, against Amazon's own published models, where a copy of them is at hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.amazon import AmazonChannel, AmazonStock
from adapters.amazon import quota as quotas
from adapters.amazon.order_state import status_of
from adapters.contract import ListingRef, OrderState, QuantityWrite
from tests.unit.amazon.builders import a_listing, a_page, an_order, resolved, state, state_of, summaries
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import NOW, FakeClock, Json, ScriptedAmazon, SeededRng, ok

MODELS = {
    "searchOrders": "orders-api-model/orders_2026-01-01.json",
    "getOrder": "orders-api-model/orders_2026-01-01.json",
    "searchListingsItems": "listings-items-api-model/listingsItems_2021-08-01.json",
    "getListingsItem": "listings-items-api-model/listingsItems_2021-08-01.json",
    "patchListingsItem": "listings-items-api-model/listingsItems_2021-08-01.json",
    "getInventorySummaries": "fba-inventory-api-model/fbaInventory.json",
    "getMarketplaceParticipations": "sellers-api-model/sellers.json",
}
_RATE = re.compile(r"\|\s*([0-9.]+)\s*\|\s*([0-9]+)\s*\|")


@pytest.fixture(scope="module")
def specs(shared: Path) -> Path:
    return shared / "specs" / "amazon"


def model_of(specs: Path, operation: str) -> tuple[Json, Json]:
    """The model's definitions, and the operation with its path's parameters."""
    model = msgspec.json.decode((specs / "models" / MODELS[operation]).read_bytes())
    for path in model["paths"].values():
        for found in path.values():
            if isinstance(found, dict) and found.get("operationId") == operation:
                return model, {**found, "parameters": [*path.get("parameters", []), *found.get("parameters", [])]}
    raise AssertionError(operation)


def pairs(specs: Path, *operations: str) -> list[Json]:
    """Amazon's examples of good answers."""
    lines = (specs / "sandbox_pairs.jsonl").read_bytes().splitlines()
    found = [msgspec.json.decode(line) for line in lines]
    return [p["response"] for p in found if p["operationId"] in operations and p["model"] in MODELS.values()
            and p["status"] == "200"]  # fmt: skip


@pytest.mark.parametrize(
    "operation",
    [
        quotas.SEARCH_ORDERS,
        quotas.GET_ORDER,
        quotas.SEARCH_LISTINGS,
        quotas.GET_LISTING,
        quotas.PATCH_LISTING,
        quotas.INVENTORY_SUMMARIES,
        quotas.MARKETPLACE_PARTICIPATIONS,
    ],
    ids=lambda each: each.name,
)
def test_our_quotas_are_the_published_ones(specs: Path, operation: quotas.Operation) -> None:
    told = _RATE.search(model_of(specs, operation.name)[1]["description"])

    assert told is not None
    assert (operation.rate, operation.burst) == (float(told[1]), int(told[2]))


async def asked_everything(amazon: ScriptedAmazon) -> None:
    amazon.script("searchOrders", ok({"orders": [], "pagination": {"nextToken": "t"}}), ok({"orders": []}))
    amazon.script("getOrder", ok({"order": an_order()}))
    amazon.script("searchListingsItems", ok(a_page(a_listing(), token="t")), ok(a_page()))
    amazon.script("getListingsItem", ok(a_listing("A,B")))
    amazon.script("patchListingsItem", ok({"sku": "A", "status": "ACCEPTED"}))
    amazon.script("getInventorySummaries", ok(summaries(token="t")), ok(summaries()))
    amazon.script("getMarketplaceParticipations", ok({"payload": []}))
    channel = AmazonChannel(settings(), FakeClock(), SeededRng(), amazon.transport)
    stock = AmazonStock(settings(), FakeClock(), SeededRng(), amazon.transport)
    ref = ListingRef("A", "DEFAULT")
    assert [page async for page in channel.poll_orders(NOW)]
    assert await channel.fetch_orders(["903-8868176-2219830"])
    assert [page async for page in channel.list_listings()]
    assert await channel.read_quantities([ref, ListingRef("A,B", "DEFAULT")])
    assert await channel.send_write("k", channel.compose_write("p", [QuantityWrite(ref, 1, 1)]))
    assert [page async for page in stock.read_stock()]
    await channel.identify()
    await channel.close()
    await stock.close()


async def test_every_request_of_ours_is_one_that_the_models_know(specs: Path, amazon: ScriptedAmazon) -> None:
    await asked_everything(amazon)

    assert set(amazon.operations) == set(MODELS)
    for operation, request in zip(amazon.operations, amazon.requests, strict=True):
        model, found = model_of(specs, operation)
        parameters = [_looked_up(model, each) for each in found.get("parameters", ())]
        known = {each["name"]: each for each in parameters if each["in"] == "query"}
        sent = dict(request.url.params)
        assert sent.keys() <= known.keys()
        assert {name for name, each in known.items() if each.get("required")} <= sent.keys()
        for name, value in sent.items():
            _must_fit(known[name], value)


def _looked_up(model: Json, raw: Json) -> Json:
    found: Any = model
    for step in raw["$ref"].removeprefix("#/").split("/") if "$ref" in raw else ():
        found = found[step]
    return found if "$ref" in raw else raw


def _must_fit(parameter: Json, value: str) -> None:
    many = parameter["type"] == "array"
    values = value.split(",") if many else [value]
    assert len(values) <= parameter.get("maxItems", len(values))
    allowed = (parameter["items"] if many else parameter).get("enum", values)
    assert set(values) <= set(allowed)
    if parameter["type"] == "integer":
        assert int(value) <= parameter.get("maximum", 100)


async def test_a_patch_of_ours_is_one_that_the_model_knows(specs: Path, amazon: ScriptedAmazon) -> None:
    await asked_everything(amazon)

    definitions = model_of(specs, "patchListingsItem")[0]["definitions"]
    (body,) = amazon.bodies("patchListingsItem")
    assert set(definitions["ListingsItemPatchRequest"]["required"]) <= body.keys()
    (patch,) = body["patches"]
    operation = definitions["PatchOperation"]
    assert patch.keys() <= operation["properties"].keys()
    assert patch["op"] in operation["properties"]["op"]["enum"]


def test_every_status_of_the_orders_api_is_known(specs: Path) -> None:
    statuses = model_of(specs, "searchOrders")[0]["definitions"]["FulfillmentStatus"]["enum"]

    assert None not in [status_of(each) for each in statuses]


def test_every_status_of_a_notification_is_known(specs: Path) -> None:
    schema = msgspec.json.decode((specs / "schemas" / "notifications" / "OrderChangeNotification.json").read_bytes())
    change = schema["properties"]["Payload"]["properties"]["OrderChangeNotification"]
    statuses = change["properties"]["Summary"]["properties"]["OrderStatus"]["enum"]

    assert None not in [status_of(each) for each in statuses]


def test_every_example_of_an_order_is_read_without_a_problem(specs: Path) -> None:
    searched = [order for page in pairs(specs, "searchOrders") for order in page["orders"]]
    fetched = [answer["order"] for answer in pairs(specs, "getOrder")]

    read: list[OrderState] = [state(order) for order in [*searched, *fetched]]

    assert len(read) == 6
    assert [order.problems for order in read] == [()] * 6
    for order, raw in zip(read, [*searched, *fetched], strict=True):
        assert sum(line.quantity for line in order.lines) == sum(x["quantityOrdered"] for x in raw["orderItems"])
        assert all(line.parked is None and line.unit_price is not None for line in order.lines)
        assert order.ship_to is not None
        by_amazon = raw["fulfillment"]["fulfilledBy"] == "AMAZON"
        assert {line.by_channel for line in order.lines} == {by_amazon}


def test_an_example_in_yen_has_no_decimals(specs: Path) -> None:
    (order,) = next(page["orders"] for page in pairs(specs, "searchOrders") if "JPY" in str(page))

    prices = [line.unit_price for line in state_of(resolved(order)).lines]

    assert [(price.minor, price.currency) for price in prices if price] == [(5980, "JPY"), (6980, "JPY")]


async def test_every_example_of_a_listing_is_read(specs: Path, channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    (page,) = pairs(specs, "searchListingsItems")
    page.pop("pagination")
    amazon.script("searchListingsItems", ok(page))

    listed = [item async for found in channel.list_listings() for item in found.items]

    assert [item.ref.channel_sku for item in listed] == [item["sku"] for item in page["items"]]
    assert listed[0].quantity == 100
    assert listed[0].title == "Hardside Carry-On Spinner Suitcase Luggage"
