"""Tokens, versions, scopes, points: what every request meets."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.shopify.sandbox import ShopSeed
from adapters.shopify.sandbox.cost import requested_cost, weight
from adapters.shopify.sandbox.documents import Documents, operation_in
from adapters.shopify.sandbox.schema import load_schema
from tests.unit.shopify_sandbox.kit import ORDERS, SET, App, Opened, a_seed

SHOP = "{ shop { id myshopifyDomain ianaTimezone } }"
DENIED = {
    "code": "ACCESS_DENIED",
    "documentation": "https://shopify.dev/api/usage/access-scopes",
}


def credentials(**changes: str) -> dict[str, str]:
    seed = ShopSeed()
    return {
        "client_id": seed.client_id,
        "client_secret": seed.client_secret,
        "grant_type": "client_credentials",
        **changes,
    }


async def test_credentials_buy_a_token_for_a_day(app: App) -> None:
    answer = await app.http.post("/admin/oauth/access_token", json=credentials())

    granted = answer.json()
    assert answer.status_code == 200
    assert granted["expires_in"] == 86399
    assert "write_inventory" in granted["scope"].split(",")
    app.token = granted["access_token"]
    assert (await app.data(SHOP))["shop"]["myshopifyDomain"] == "red-clock.myshopify.com"


async def test_a_token_dies_when_its_life_is_over(opened: Opened) -> None:
    app = await opened.app(a_seed(token_life_s=60))
    granted = await app.http.post("/admin/oauth/access_token", json=credentials())
    app.token = granted.json()["access_token"]
    await app.clock.advance(59)
    alive = await app.send(SHOP)

    await app.clock.advance(2)
    dead = await app.send(SHOP)

    assert alive.status_code == 200
    assert dead.status_code == 401
    assert dead.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


async def test_an_unknown_token_opens_nothing(app: App) -> None:
    app.token = "shpat_of_another_shop"

    assert (await app.send(SHOP)).status_code == 401


async def test_tokens_can_be_taken_away_at_once(app: App) -> None:
    granted = await app.http.post("/admin/oauth/access_token", json=credentials())
    app.token = granted.json()["access_token"]

    await app.control("tokens/expire")

    assert (await app.send(SHOP)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "part"),
    [
        ({"client_secret": "wrong"}, 401, '"error": "invalid_client"'),
        ({"client_id": "someone-else"}, 400, "Oauth error application_cannot_be_found"),
        ({"grant_type": "password"}, 400, '"error": "unsupported_grant_type"'),
    ],
)
async def test_wrong_credentials_are_refused(app: App, change: dict[str, str], status: int, part: str) -> None:
    answer = await app.http.post("/admin/oauth/access_token", json=credentials(**change))

    assert answer.status_code == status
    assert part in answer.text


@pytest.mark.parametrize(
    ("asked", "served"),
    [("2026-10", "2026-10"), ("2026-01", "2026-01"), ("2024-04", "2026-01"), ("2031-01", "2026-01")],
)
async def test_a_version_that_is_gone_falls_forward_without_a_word(app: App, asked: str, served: str) -> None:
    answer = await app.send(SHOP, version=asked)

    assert answer.status_code == 200
    assert answer.headers["X-Shopify-API-Version"] == served
    assert answer.headers["x-request-id"]


async def test_the_app_can_ask_who_it_is(app: App) -> None:
    query = """{
      currentAppInstallation { id accessScopes { handle } }
      publicApiVersions { handle supported displayName }
      shop { id plan { publicDisplayName shopifyPlus partnerDevelopment } }
    }"""

    found = await app.data(query)

    assert {"handle": "read_orders"} in found["currentAppInstallation"]["accessScopes"]
    assert {"handle": "2026-10", "supported": True, "displayName": "2026-10 (Latest)"} in found["publicApiVersions"]


async def test_a_field_without_its_scope_is_denied(opened: Opened) -> None:
    app = await opened.app(a_seed(scopes=("read_orders", "read_inventory")))
    item = (await app.level("RED-CLOCK"))["item"]

    answer = await app.ask(SET, input={"name": "available", "reason": "correction", "quantities": []}, key="k")
    read = await app.data("query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[item])

    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]) == ("access denied", DENIED)
    assert answer["data"] == {"inventorySetQuantities": None}
    assert read["nodes"] == [{"id": item}]


async def test_addresses_need_an_approval(opened: Opened) -> None:
    app = await opened.app(a_seed(protected_data_approved=False))
    await app.control("orders", lines=[{"sku": "RED-CLOCK", "quantity": 1}], ship_to={"name": "Ada", "country": "DE"})

    answer = await app.ask("{ orders(first: 1) { nodes { name shippingAddress { zip } } } }")

    assert answer["data"]["orders"]["nodes"] == [{"name": "#1001", "shippingAddress": None}]
    assert [error["extensions"] for error in answer["errors"]] == [DENIED]


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


def test_a_write_costs_thirteen_points_as_live() -> None:
    assert _cost(SET, {}) == 13


def _cost(query: str, variables: dict[str, Any]) -> int:
    schema = load_schema()
    document = Documents(schema).check(query).document
    assert document is not None
    operation = operation_in(document, None)
    assert operation is not None
    return requested_cost(schema, document, operation, variables)


async def test_a_field_that_does_not_exist_is_an_error(app: App) -> None:
    answer = await app.ask("{ shop { horoscope } }")

    assert "horoscope" in answer["errors"][0]["message"]
    assert "data" not in answer


async def test_a_connection_wants_to_know_how_many(app: App) -> None:
    without = await app.ask("{ orders { nodes { id } } }")
    too_many = await app.ask("{ orders(first: 251) { nodes { id } } }")

    assert without["errors"][0]["message"] == "you must provide one of first or last"
    assert too_many["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_no_more_than_250_ids_are_looked_up(app: App) -> None:
    item = (await app.level("RED-CLOCK"))["item"]

    answer = await app.ask("query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[item] * 251)

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert error["path"] == ["nodes", "ids"]


async def test_unknown_ids_are_null_and_malformed_ones_an_error(app: App) -> None:
    query = "query Q($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    item = (await app.level("RED-CLOCK"))["item"]

    found = await app.data(query, ids=["gid://shopify/Order/5", item, "gid://shopify/Comet/1"])
    wrong = await app.ask(query, ids=["5"])

    assert found["nodes"] == [None, {"__typename": "InventoryItem", "id": item}, None]
    assert wrong["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"


async def test_levels_are_read_by_item(app: App) -> None:
    await app.buy("RED-CLOCK", 3)
    level = await app.level("RED-CLOCK")
    query = """query Levels($ids: [ID!]!, $place: ID!) { nodes(ids: $ids) { ... on InventoryItem {
      sku tracked
      inventoryLevels(first: 10) { nodes { id isActive location { id } quantities(names: ["available", "on_hand",
        "committed", "reserved"]) { name quantity updatedAt } } }
      inventoryLevel(locationId: $place, includeInactive: true) { isActive }
    } } }"""

    (item,) = (await app.data(query, ids=[level["item"]], place=level["location"]))["nodes"]

    (shown,) = item["inventoryLevels"]["nodes"]
    assert shown["id"].endswith(f"?inventory_item_id={level['inventory_item_id']}")
    assert shown["location"] == {"id": level["location"]}
    assert {one["name"]: one["quantity"] for one in shown["quantities"]} == {
        "available": 7,
        "on_hand": 10,
        "committed": 3,
        "reserved": 0,
    }
    assert item["inventoryLevel"] == {"isActive": True}


async def test_variants_are_found_by_the_words_of_their_sku(opened: Opened) -> None:
    app = await opened.app()
    await app.control("items", sku="RED-CLOCK-XL", title="Red clock, large", barcode="4006381333931", price="29.90")
    query = """query Find($query: String) { productVariants(first: 10, query: $query) {
      nodes { sku barcode inventoryPolicy price product { status title } inventoryItem { tracked } } } }"""

    by_sku = await app.data(query, query="sku:'RED-CLOCK'")
    by_barcode = await app.data(query, query="barcode:4006381333931")

    assert [one["sku"] for one in by_sku["productVariants"]["nodes"]] == ["RED-CLOCK", "RED-CLOCK-XL"]
    assert [one["price"] for one in by_barcode["productVariants"]["nodes"]] == ["29.90"]


async def test_variants_are_found_from_an_id_on(app: App) -> None:
    ids = [int(level["variant_id"]) for level in (await app.truth())["levels"]]
    query = "query From($query: String) { productVariants(first: 10, query: $query) { nodes { sku } } }"

    both = (await app.data(query, query=f"id:>={ids[0]}"))["productVariants"]["nodes"]
    later = (await app.data(query, query=f"id:>={ids[0] + 1}"))["productVariants"]["nodes"]

    assert [one["sku"] for one in both] == ["RED-CLOCK", "BLUE-CLOCK"]
    assert [one["sku"] for one in later] == ["BLUE-CLOCK"]


async def test_variants_come_in_pages(app: App) -> None:
    for number in range(5):
        await app.control("items", sku=f"EXTRA-{number}")
    query = """query Page($after: String) { productVariants(first: 3, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { sku } } }"""

    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        page = (await app.data(query, after=after))["productVariants"]
        seen += [one["sku"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert seen == ["RED-CLOCK", "BLUE-CLOCK", *(f"EXTRA-{number}" for number in range(5))]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_a_body_that_is_no_request_is_a_bad_request(app: App) -> None:
    answer = await app.http.post(
        "/admin/api/2026-10/graphql.json", content=b"{", headers={"X-Shopify-Access-Token": "t"}
    )

    assert answer.status_code == 400


async def test_stats_count_requests_by_what_they_ask_for(app: App) -> None:
    await app.ask(ORDERS, first=1)
    await app.ask(SHOP)

    assert (await app.stats())["requests"] == {"orders": 1, "shop": 1}
