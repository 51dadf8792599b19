"""Reading items, levels and variants, and asking wrongly."""

from __future__ import annotations

from tests.unit.shopify_sandbox.documents import ORDERS
from tests.unit.shopify_sandbox.kit import App, Opened

SHOP = "{ shop { id myshopifyDomain ianaTimezone } }"


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
