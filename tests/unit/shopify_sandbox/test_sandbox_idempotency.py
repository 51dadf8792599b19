"""Writes that are repeated or in flight, and activation, which comes before the first write."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.shopify.sandbox import LocationSeed
from tests.unit.shopify_sandbox.kit import App, Opened, a_seed


async def test_the_same_key_replays_the_outcome_without_a_second_effect(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=10)
    first = await app.set(row, key="once")
    await app.buy("RED-CLOCK")

    again = await app.set(row, key="once")

    assert again == first
    assert await app.numbers("RED-CLOCK") == (2, 1, 3)
    assert (await app.stats())["writes_applied"] == 1


async def test_the_same_key_replays_a_refusal_too(app: App) -> None:
    row = await app.row("RED-CLOCK", 3, change_from=9)
    refused = await app.set(row, key="once")
    await app.buy("RED-CLOCK")  # now the expected number would be right

    again = await app.set(row, key="once")

    assert [one["code"] for one in refused["userErrors"]] == ["CHANGE_FROM_QUANTITY_STALE"]
    assert again == refused


async def test_a_used_key_with_other_parameters_is_a_mismatch(app: App) -> None:
    await app.set(await app.row("RED-CLOCK", 3, change_from=10), key="once")

    payload = await app.set(await app.row("RED-CLOCK", 4, change_from=3), key="once")

    assert [one["code"] for one in payload["userErrors"]] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert await app.numbers("RED-CLOCK") == (3, 0, 3)


async def test_a_key_is_forgotten_after_a_day(app: App) -> None:
    await app.set(await app.row("RED-CLOCK", 3, change_from=10), key="once")
    await app.clock.advance(24 * 3600 + 1)

    payload = await app.set(await app.row("RED-CLOCK", 4, change_from=3), key="once")

    assert payload["userErrors"] == []
    assert await app.numbers("RED-CLOCK") == (4, 0, 4)


async def test_a_key_in_flight_is_a_concurrent_request(opened: Opened) -> None:
    app = await opened.app(a_seed(write_latency_s=5.0))
    row = await app.row("RED-CLOCK", 3, change_from=10)
    first: asyncio.Task[Any] = asyncio.create_task(app.set(row, key="once"))
    await app.clock.someone_sleeps()

    meanwhile = await app.set(row, key="once")
    await app.clock.advance(5)

    assert [one["code"] for one in meanwhile["userErrors"]] == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    assert (await first)["userErrors"] == []
    assert await app.numbers("RED-CLOCK") == (3, 0, 3)


async def test_a_sale_that_comes_before_the_effect_makes_the_write_stale(opened: Opened) -> None:
    app = await opened.app(a_seed(write_latency_s=5.0))
    write: asyncio.Task[Any] = asyncio.create_task(app.set(await app.row("RED-CLOCK", 12, change_from=10)))
    await app.clock.someone_sleeps()

    await app.buy("RED-CLOCK")
    await app.clock.advance(5)

    assert [one["code"] for one in (await write)["userErrors"]] == ["CHANGE_FROM_QUANTITY_STALE"]
    assert await app.numbers("RED-CLOCK") == (9, 1, 10)


async def test_an_item_is_activated_before_it_can_be_set(opened: Opened) -> None:
    app = await opened.app(a_seed(locations=(LocationSeed("Here"), LocationSeed("There"))))
    there = next(one["id"] for one in await _locations(app) if one["name"] == "There")
    item = (await app.level("RED-CLOCK"))["item"]
    query = """mutation Activate($item: ID!, $place: ID!, $key: String!, $available: Int) {
      inventoryActivate(inventoryItemId: $item, locationId: $place, available: $available) @idempotent(key: $key) {
        inventoryLevel { id isActive quantities(names: ["available", "on_hand"]) { name quantity } }
        userErrors { field message }
      }
    }"""

    made = (await app.data(query, item=item, place=there, key="a"))["inventoryActivate"]
    again = (await app.data(query, item=item, place=there, key="b", available=4))["inventoryActivate"]
    row = {"inventoryItemId": item, "locationId": there, "quantity": 6, "changeFromQuantity": 0}
    payload = await app.set(row, key="c")

    assert made["inventoryLevel"]["isActive"] is True
    assert [one["quantity"] for one in made["inventoryLevel"]["quantities"]] == [0, 0]
    assert [one["field"] for one in again["userErrors"]] == [["available"]]
    assert payload["userErrors"] == []


async def _locations(app: App) -> list[dict[str, str]]:
    query = "{ locations(first: 10, includeInactive: true, includeLegacy: true) { nodes { id name } } }"
    found: list[dict[str, str]] = (await app.data(query))["locations"]["nodes"]
    return found
