"""patchListingsItem, getListingsItem and searchListingsItems."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.amazon.sandbox import ItemSeed
from tests.contract.amazon_sandbox.kit import LISTINGS, US, Account, Opened, a_seed, quantity_patch

PATH = "/attributes/fulfillment_availability"


async def submitted(account: Account, sku: str) -> list[dict[str, Any]]:
    attributes = (await account.listing(sku, "attributes"))["attributes"]
    found: list[dict[str, Any]] = attributes["fulfillment_availability"]
    return found


async def test_an_accepted_patch_takes_effect_later(account: Account) -> None:
    answer = await account.patch("RED-CLOCK", quantity_patch(4))
    await account.clock.advance(4.9)
    before = await account.live("RED-CLOCK")
    await account.clock.advance(56)

    assert answer.status_code == 200
    assert (answer.json()["sku"], answer.json()["status"], answer.json()["issues"]) == ("RED-CLOCK", "ACCEPTED", [])
    assert before == 10
    assert await account.live("RED-CLOCK") == 4
    assert (await account.stats())["writes_applied"] == 1


async def test_what_was_submitted_and_what_is_live_are_two_numbers(account: Account) -> None:
    await account.patch("RED-CLOCK", quantity_patch(4))
    at_once = await submitted(account, "RED-CLOCK"), await account.live("RED-CLOCK")
    await account.clock.advance(61)
    await account.buy("RED-CLOCK")
    later = await submitted(account, "RED-CLOCK"), await account.live("RED-CLOCK")

    assert (at_once[0][0]["quantity"], at_once[1]) == (4, 10)
    assert (later[0][0]["quantity"], later[1]) == (4, 3)


async def test_an_absolute_write_gives_a_unit_back_that_sold_before_it_took_effect(account: Account) -> None:
    await account.patch("RED-CLOCK", quantity_patch(10))
    await account.buy("RED-CLOCK")
    await account.clock.advance(61)

    assert await account.live("RED-CLOCK") == 10


async def test_of_one_sku_an_earlier_patch_never_overtakes_a_later_one(account: Account) -> None:
    for quantity in (1, 2, 3, 4, 5):
        await account.patch("RED-CLOCK", quantity_patch(quantity))
    await account.clock.advance(61)

    assert await account.live("RED-CLOCK") == 5


async def test_merge_keeps_the_lead_time_and_replace_drops_it(account: Account) -> None:
    await account.patch("RED-CLOCK", quantity_patch(4))
    merged = await submitted(account, "RED-CLOCK")
    await account.patch("RED-CLOCK", quantity_patch(5, "replace"))

    assert merged == [
        {
            "fulfillment_channel_code": "DEFAULT",
            "quantity": 4,
            "lead_time_to_ship_max_days": 3,
            "marketplace_id": US,
        }
    ]
    assert await submitted(account, "RED-CLOCK") == [
        {"fulfillment_channel_code": "DEFAULT", "quantity": 5, "marketplace_id": US}
    ]


async def test_a_merge_without_a_quantity_changes_nothing(account: Account) -> None:
    element = {"fulfillment_channel_code": "DEFAULT", "lead_time_to_ship_max_days": 9}
    await account.patch("RED-CLOCK", {"op": "merge", "path": PATH, "value": [element]})

    assert (await submitted(account, "RED-CLOCK"))[0]["lead_time_to_ship_max_days"] == 3


async def test_delete_takes_the_offer_down(account: Account) -> None:
    element = {"fulfillment_channel_code": "DEFAULT"}
    await account.patch("RED-CLOCK", {"op": "delete", "path": PATH, "value": [element]})
    await account.clock.advance(61)

    assert await submitted(account, "RED-CLOCK") == []
    assert await account.live("RED-CLOCK") == 0


async def test_a_default_quantity_gives_an_fba_sku_a_second_channel(account: Account) -> None:
    await account.patch("FBA-CLOCK", quantity_patch(6))
    await account.clock.advance(61)

    shown = (await account.listing("FBA-CLOCK"))["fulfillmentAvailability"]
    assert shown == [
        {"fulfillmentChannelCode": "DEFAULT", "quantity": 6},
        {"fulfillmentChannelCode": "AMAZON_NA"},
    ]
    assert (await account.stats())["fba_skus_offered"] == 1


async def test_a_quantity_for_fbas_channel_is_ignored(account: Account) -> None:
    element = {"fulfillment_channel_code": "AMAZON_NA", "quantity": 99}
    answer = await account.patch("BLUE-CLOCK", {"op": "merge", "path": PATH, "value": [element]})
    await account.clock.advance(61)

    assert answer.json()["status"] == "ACCEPTED"
    assert (await account.at_fba("BLUE-CLOCK"), await account.live("BLUE-CLOCK")) == (8, 5)


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"op": "merge", "path": "/attributes/fulfillmentAvailability", "value": [{"quantity": 1}]}, "90000900"),
        ({"op": "merge", "path": PATH, "value": [{"quantity": 1}]}, "90220"),
        ({"op": "merge", "path": PATH, "value": []}, "90220"),
        (quantity_patch(-1), "90000900"),
        (quantity_patch("7"), "90000900"),
        (quantity_patch(1.5), "90000900"),
        (quantity_patch(3, fulfillment_channel_code="AMAZON_EU"), "90000900"),
    ],
)
async def test_an_invalid_patch_is_a_200_with_issues_and_no_effect(
    account: Account, patch: dict[str, Any], code: str
) -> None:
    answer = await account.patch("RED-CLOCK", patch)
    await account.clock.advance(61)

    (issue,) = answer.json()["issues"]
    assert (answer.status_code, answer.json()["status"]) == (200, "INVALID")
    assert (issue["code"], issue["severity"]) == (code, "ERROR")
    assert await account.live("RED-CLOCK") == 10


async def test_a_sku_that_is_not_there_is_invalid_to_patch_and_not_found_to_get(account: Account) -> None:
    patched = await account.patch("GREEN-CLOCK", quantity_patch(1))
    read = await account.get(f"{LISTINGS}/GREEN-CLOCK", marketplaceIds=US)

    assert (patched.json()["status"], read.status_code) == ("INVALID", 404)


@pytest.mark.parametrize("body", [{}, {"productType": "HOME"}, {"productType": "HOME", "patches": []}, [1], "x"])
async def test_a_body_that_the_model_does_not_allow_is_a_400(account: Account, body: Any) -> None:
    headers = {"x-amz-access-token": account.token}
    address = f"{LISTINGS}/RED-CLOCK"
    answer = await account.http.patch(address, params={"marketplaceIds": US}, json=body, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "BAD_REQUEST")


async def test_an_unknown_marketplace_and_a_missing_one_are_400(account: Account) -> None:
    wrong = await account.get(f"{LISTINGS}/RED-CLOCK", marketplaceIds="A1PA6795UKMFR9")
    missing = await account.get(f"{LISTINGS}/RED-CLOCK")

    assert (wrong.status_code, missing.status_code) == (400, 400)


async def test_the_product_type_must_be_the_skus_own_or_the_general_one(account: Account) -> None:
    statuses = []
    for product_type in ("PRODUCT", "LUGGAGE"):
        answer = await account.http.patch(
            f"{LISTINGS}/RED-CLOCK",
            params={"marketplaceIds": US},
            json={"productType": product_type, "patches": [quantity_patch(1)]},
            headers={"x-amz-access-token": account.token},
        )
        statuses.append(answer.json()["status"])

    assert statuses == ["ACCEPTED", "INVALID"]


async def test_a_preview_is_valid_and_changes_nothing(account: Account) -> None:
    answer = await account.patch(
        "RED-CLOCK", quantity_patch(1), mode="VALIDATION_PREVIEW", includedData="issues,identifiers"
    )
    await account.clock.advance(61)

    assert answer.json()["status"] == "VALID"
    assert answer.json()["identifiers"][0]["marketplaceId"] == US
    assert await account.live("RED-CLOCK") == 10


async def test_an_offer_is_buyable_while_there_is_something_to_buy(account: Account) -> None:
    async def status(sku: str) -> list[str]:
        found: list[str] = (await account.listing(sku, "summaries"))["summaries"][0]["status"]
        return found

    before = await status("RED-CLOCK")
    await account.buy("RED-CLOCK", 10)

    assert before == ["BUYABLE", "DISCOVERABLE"]
    assert await status("RED-CLOCK") == ["DISCOVERABLE"]


async def test_a_sku_may_hold_any_character(opened: Opened) -> None:
    sku = "A/B 7%+é"
    account = await opened.account(a_seed(items=(ItemSeed(sku, quantity=3),)))
    headers = {"x-amz-access-token": account.token}

    answer = await account.http.get(f"{LISTINGS}/A%2FB%207%25%2B%C3%A9?marketplaceIds={US}", headers=headers)

    assert answer.json()["sku"] == sku


async def test_a_typed_number_shows_at_once_until_an_accepted_patch_overwrites_it(account: Account) -> None:
    await account.patch("RED-CLOCK", quantity_patch(4))
    await account.control("levels", sku="RED-CLOCK", available=30)
    typed = await account.live("RED-CLOCK")
    await account.clock.advance(61)

    assert (typed, await account.live("RED-CLOCK")) == (30, 4)


# --- searchListingsItems -----------------------------------------------------------------------------------------


async def found(account: Account, **query: Any) -> dict[str, Any]:
    answer = await account.get(LISTINGS, **{"marketplaceIds": US, **query})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_a_search_by_sku_shows_numbers_and_passes_over_what_is_not_there(account: Account) -> None:
    page = await found(
        account,
        identifiers="RED-CLOCK,GREEN-CLOCK,BLUE-CLOCK",
        identifiersType="SKU",
        includedData="fulfillmentAvailability",
        sortBy="sku",
        sortOrder="ASC",
    )

    assert page["numberOfResults"] == 2
    assert [one["sku"] for one in page["items"]] == ["BLUE-CLOCK", "RED-CLOCK"]
    assert page["items"][1]["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 10}]


async def test_a_search_by_gtin_finds_the_sku(account: Account) -> None:
    page = await found(account, identifiers="4006381333931", identifiersType="GTIN")

    assert [one["sku"] for one in page["items"]] == ["RED-CLOCK"]


async def test_only_what_was_updated_lately_is_found_newest_first(account: Account) -> None:
    await account.clock.advance(100)
    await account.buy("BLUE-CLOCK")
    await account.clock.advance(10)
    await account.buy("RED-CLOCK")

    page = await found(account, lastUpdatedAfter="2026-11-22T12:01:00Z")

    assert [one["sku"] for one in page["items"]] == ["RED-CLOCK", "BLUE-CLOCK"]


async def test_searches_filter_by_status(account: Account) -> None:
    await account.buy("RED-CLOCK", 10)

    assert (await found(account, withoutStatus="BUYABLE"))["items"][0]["sku"] == "RED-CLOCK"
    assert (await found(account, withStatus="BUYABLE"))["numberOfResults"] == 2


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": 21},
        {"identifiers": "RED-CLOCK"},
        {"identifiersType": "SKU"},
        {"identifiers": ",".join(f"S{n}" for n in range(21)), "identifiersType": "SKU"},
        {"sortBy": "price"},
        {"includedData": "everything"},
        {"pageToken": "abc"},
        {"variationParentSku": "X"},
    ],
)
async def test_a_search_that_breaks_a_rule_is_a_400(account: Account, query: dict[str, Any]) -> None:
    answer = await account.get(LISTINGS, **{"marketplaceIds": US, **query})

    assert answer.status_code == 400


async def test_at_most_a_thousand_listings_can_be_paged_through(opened: Opened) -> None:
    items = tuple(ItemSeed(f"SKU-{number:04d}") for number in range(1005))
    account = await opened.account(a_seed(items=items))
    query: dict[str, Any] = {"sortBy": "sku", "sortOrder": "ASC", "pageSize": 20}
    seen: list[str] = []
    while True:
        page = await found(account, **query)
        seen += [one["sku"] for one in page["items"]]
        if "nextToken" not in page.get("pagination", {}):
            break
        query["pageToken"] = page["pagination"]["nextToken"]
        await account.clock.advance(1)

    assert page["numberOfResults"] == 1005
    assert seen == [f"SKU-{number:04d}" for number in range(1000)]
    assert "previousToken" in page["pagination"]
