"""getInventorySummaries."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.amazon.sandbox import ItemSeed
from tests.contract.amazon_sandbox.kit import SUMMARIES, US, Account, Opened, a_seed

HERE = {"granularityType": "Marketplace", "granularityId": US, "marketplaceIds": US}


async def summaries(account: Account, **query: Any) -> dict[str, dict[str, Any]]:
    answer = await account.get(SUMMARIES, **HERE, **query)
    assert answer.status_code == 200, answer.text
    return {one["sellerSku"]: one for one in answer.json()["payload"]["inventorySummaries"]}


async def test_details_show_how_fbas_units_are_split(account: Account) -> None:
    await account.control("fba", sku="BLUE-CLOCK", fulfillable=8, unfulfillable=2)
    await account.buy("BLUE-CLOCK", 3, by_channel=True)

    shown = (await summaries(account, details="true"))["BLUE-CLOCK"]

    details = shown["inventoryDetails"]
    assert shown["totalQuantity"] == 10
    assert details["fulfillableQuantity"] == 5
    assert details["reservedQuantity"]["pendingCustomerOrderQuantity"] == 3
    assert details["unfulfillableQuantity"]["totalUnfulfillableQuantity"] == 2


async def test_without_details_there_are_totals_only_and_only_of_what_fba_knows(account: Account) -> None:
    shown = await summaries(account)

    assert set(shown) == {"BLUE-CLOCK", "FBA-CLOCK"}
    assert "inventoryDetails" not in shown["FBA-CLOCK"]


async def test_skus_are_asked_for_by_name_and_unknown_ones_are_absent(account: Account) -> None:
    assert set(await summaries(account, sellerSkus="FBA-CLOCK,RED-CLOCK,GREEN-CLOCK")) == {"FBA-CLOCK"}
    assert set(await summaries(account, sellerSku="BLUE-CLOCK")) == {"BLUE-CLOCK"}


async def test_a_start_shows_what_changed_since_and_outranks_names(account: Account) -> None:
    await account.clock.advance(60)
    await account.buy("FBA-CLOCK")

    shown = await summaries(account, startDateTime="2026-11-22T12:00:30Z", sellerSkus="BLUE-CLOCK")

    assert set(shown) == {"FBA-CLOCK"}


async def test_a_shipped_order_leaves_the_building(account: Account) -> None:
    order_id = await account.buy("FBA-CLOCK", 1)
    await account.control(f"orders/{order_id}/fulfil")

    assert (await summaries(account))["FBA-CLOCK"]["totalQuantity"] == 3


@pytest.mark.parametrize(
    "query",
    [
        {"granularityType": "Country"},
        {"granularityId": "A1PA6795UKMFR9"},
        {"marketplaceIds": f"{US},A1PA6795UKMFR9"},
        {"details": "yes"},
        {"startDateTime": "2024-01-01T00:00:00Z"},
        {"sellerSkus": ",".join(f"S{n}" for n in range(51))},
        {"nextToken": "abc"},
    ],
)
async def test_a_request_that_breaks_a_rule_is_a_400(account: Account, query: dict[str, str]) -> None:
    answer = await account.get(SUMMARIES, **{**HERE, **query})

    assert answer.status_code == 400


async def test_an_account_without_fba_is_refused(opened: Opened) -> None:
    account = await opened.account(a_seed(items=(ItemSeed("RED-CLOCK"),)))

    assert (await account.get(SUMMARIES, **HERE)).status_code == 400


async def many(opened: Opened) -> Account:
    items = tuple(ItemSeed(f"SKU-{number:03d}", quantity=None, fba_quantity=number) for number in range(120))
    return await opened.account(a_seed(items=items))


async def test_pages_stand_beside_the_payload_and_show_everything_once(opened: Opened) -> None:
    account = await many(opened)
    seen: list[str] = []
    query: dict[str, str] = dict(HERE)
    while True:
        answer = (await account.get(SUMMARIES, **query)).json()
        assert "pagination" not in answer["payload"]
        seen += [one["sellerSku"] for one in answer["payload"]["inventorySummaries"]]
        if "pagination" not in answer:
            break
        query["nextToken"] = answer["pagination"]["nextToken"]
        await account.clock.advance(1)

    assert seen == [f"SKU-{number:03d}" for number in range(120)]


async def test_a_token_dies_after_thirty_seconds(opened: Opened) -> None:
    account = await many(opened)
    token = (await account.get(SUMMARIES, **HERE)).json()["pagination"]["nextToken"]
    await account.clock.advance(30)
    alive = await account.get(SUMMARIES, **HERE, nextToken=token)
    await account.clock.advance(1)

    assert alive.status_code == 200
    assert (await account.get(SUMMARIES, **HERE, nextToken=token)).status_code == 400
