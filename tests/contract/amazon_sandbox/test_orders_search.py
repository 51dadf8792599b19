"""searchOrders and getOrder: what they find, when, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.amazon_sandbox.kit import FULFILLMENT, ORDERS, Account, Opened, a_seed
from tests.unit.shopify_sandbox.kit import NOON

REFUSED = "The input you have submitted is not valid. Please check your input and try again."


async def visible(account: Account) -> None:
    """Wait until searches know of everything so far."""
    await account.clock.advance(240)


async def test_a_search_finds_an_order_two_to_three_minutes_after_it_was_placed(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK")

    at_once = await account.order(order_id)
    await account.clock.advance(119)
    early = await account.found()
    await account.clock.advance(62)
    late = await account.found()

    assert at_once["orderId"] == order_id
    assert early == {}
    assert list(late) == [order_id]


async def test_a_change_is_found_under_the_former_time_until_it_becomes_visible(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", unpaid=True)
    await visible(account)
    before = (await account.found())[order_id]

    await account.control(f"orders/{order_id}/pay")
    lagging = (await account.found())[order_id]
    await visible(account)
    after = (await account.found())[order_id]

    assert before["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert lagging == before
    assert after["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert after["lastUpdatedTime"] > before["lastUpdatedTime"]
    assert after["createdTime"] == before["createdTime"]


async def test_every_change_gives_a_later_update_even_within_one_second(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 2, unpaid=True)
    times = [(await account.order(order_id))["lastUpdatedTime"]]

    for change, body in (("pay", {}), ("edit", {"sku": "RED-CLOCK", "quantity": 1}), ("fulfil", {})):
        await account.control(f"orders/{order_id}/{change}", **body)
        times.append((await account.order(order_id))["lastUpdatedTime"])

    assert times == sorted(set(times))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": "2026-11-22T00:00:00Z", "lastUpdatedAfter": "2026-11-22T00:00:00Z"},
        {"createdAfter": "2026-11-22T00:00:00Z", "lastUpdatedBefore": "2026-11-22T01:00:00Z"},
        {"lastUpdatedBefore": "2026-11-22T01:00:00Z"},
        {"lastUpdatedAfter": "yesterday"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "lastUpdatedBefore": "2026-11-21T00:00:00Z"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "lastUpdatedBefore": "2026-11-22T11:58:01Z"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "includedData": "FULFILMENT"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "fulfillmentStatuses": "Shipped"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "maxResultsPerPage": "101"},
        {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "maxResultsPerPage": "0"},
    ],
)
async def test_a_search_that_breaks_a_rule_gets_an_opaque_400(account: Account, query: dict[str, str]) -> None:
    answer = await account.get(ORDERS, **query)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["message"]) == (400, "InvalidInput", REFUSED)


async def test_the_answer_tells_its_upper_bound_two_minutes_ago(account: Account) -> None:
    by_update = (await account.search()).json()
    by_age = (await account.get(ORDERS, createdAfter="2026-11-22T00:00:00Z")).json()

    assert by_update == {"orders": [], "lastUpdatedBefore": "2026-11-22T11:58:00Z"}
    assert by_age == {"orders": [], "createdBefore": "2026-11-22T11:58:00Z"}


async def test_without_fulfillment_an_order_shows_basic_information_only(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK")

    basic = (await account.get(f"{ORDERS}/{order_id}")).json()["order"]
    more = await account.order(order_id, "FULFILLMENT,RECIPIENT,PROCEEDS,BUYER,PACKAGES")

    assert sorted(basic) == ["createdTime", "lastUpdatedTime", "orderId", "orderItems", "programs", "salesChannel"]
    assert sorted(basic["orderItems"][0]) == ["orderItemId", "product", "quantityOrdered"]
    assert more["fulfillment"]["fulfilledBy"] == "MERCHANT"
    assert more["recipient"]["deliveryAddress"]["countryCode"] == "US"
    assert more["proceeds"]["grandTotal"] == {"amount": "19.90", "currencyCode": "USD"}
    assert "packages" not in more


async def test_a_pending_order_carries_sku_and_quantity_and_no_price_or_address(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 3, unpaid=True)

    order = await account.order(order_id, "FULFILLMENT,RECIPIENT,PROCEEDS,BUYER")

    (item,) = order["orderItems"]
    assert (item["product"]["sellerSku"], item["quantityOrdered"]) == ("RED-CLOCK", 3)
    assert order["fulfillment"]["fulfillmentStatus"] == "PENDING"
    assert "price" not in item["product"]
    assert not {"recipient", "proceeds", "buyer"} & set(order)


async def test_searches_filter_by_who_fulfils_and_by_status(account: Account) -> None:
    by_fba = await account.buy("FBA-CLOCK")
    by_seller = await account.buy("RED-CLOCK")
    pending = await account.buy("RED-CLOCK", unpaid=True)
    await visible(account)

    assert set(await account.found(fulfilledBy="AMAZON")) == {by_fba}
    assert set(await account.found(fulfilledBy="MERCHANT,AMAZON")) == {by_fba, by_seller, pending}
    assert set(await account.found(fulfillmentStatuses="PENDING,SHIPPED")) == {pending}
    assert set(await account.found(marketplaceIds="A1PA6795UKMFR9")) == set()


async def test_creation_and_update_are_searched_apart(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK")
    await account.clock.advance(3000)
    await account.control(f"orders/{order_id}/fulfil")
    await visible(account)
    since = (NOON + timedelta(seconds=1800)).isoformat()

    updated = (await account.get(ORDERS, lastUpdatedAfter=since, **FULFILLMENT)).json()["orders"]
    created = (await account.get(ORDERS, createdAfter=since, **FULFILLMENT)).json()["orders"]

    assert [order["fulfillment"]["fulfillmentStatus"] for order in updated] == ["SHIPPED"]
    assert created == []


async def pages(account: Account, query: dict[str, Any]) -> list[list[str]]:
    found = []
    while True:
        answer = (await account.get(ORDERS, **query)).json()
        found.append([order["orderId"] for order in answer["orders"]])
        if "pagination" not in answer:
            return found
        query = {**query, "paginationToken": answer["pagination"]["nextToken"]}


async def test_pages_show_every_order_once_in_order_of_update(account: Account) -> None:
    placed = []
    for _ in range(5):
        placed.append(await account.buy("RED-CLOCK"))
        await account.clock.advance(10)
    await visible(account)

    found = await pages(account, {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "maxResultsPerPage": 2})

    assert found == [placed[:2], placed[2:4], placed[4:]]


async def test_a_token_is_good_for_the_very_same_search_only_whatever_the_page_size(account: Account) -> None:
    for _ in range(3):
        await account.buy("RED-CLOCK")
    await visible(account)
    query = {"lastUpdatedAfter": "2026-11-22T00:00:00Z", **FULFILLMENT}
    token = (await account.get(ORDERS, **query, maxResultsPerPage=1)).json()["pagination"]["nextToken"]

    same = await account.get(ORDERS, **query, maxResultsPerPage=50, paginationToken=token)
    other = await account.get(ORDERS, **{**query, "lastUpdatedAfter": "2026-11-22T00:00:01Z"}, paginationToken=token)
    made_up = await account.get(ORDERS, **query, paginationToken="abc")

    assert len(same.json()["orders"]) == 2
    for refused in (other, made_up):
        (error,) = refused.json()["errors"]
        assert refused.status_code == 400
        assert error["message"].startswith("The paginationToken you have submitted is not valid. All parameters must")


async def test_a_token_dies_after_a_day(account: Account) -> None:
    for _ in range(2):
        await account.buy("RED-CLOCK")
    await visible(account)
    query = {"lastUpdatedAfter": "2026-11-22T00:00:00Z", "maxResultsPerPage": 1}
    token = (await account.get(ORDERS, **query)).json()["pagination"]["nextToken"]
    await account.clock.advance(86_399)
    await account.log_in()
    alive = await account.get(ORDERS, **query, paginationToken=token)
    await account.clock.advance(1)

    assert alive.status_code == 200
    assert (await account.get(ORDERS, **query, paginationToken=token)).status_code == 400


async def test_an_order_that_changes_while_pages_are_read_leaves_the_sweep_and_comes_in_the_next(
    account: Account,
) -> None:
    placed = []
    for _ in range(3):
        placed.append(await account.buy("RED-CLOCK"))
        await account.clock.advance(10)
    await visible(account)
    query = {"lastUpdatedAfter": "2026-11-22T00:00:00Z", **FULFILLMENT, "maxResultsPerPage": 1}
    first = (await account.get(ORDERS, **query)).json()
    await account.control(f"orders/{placed[2]}/fulfil")
    await visible(account)

    rest = await pages(account, {**query, "paginationToken": first["pagination"]["nextToken"]})
    again = await account.found(lastUpdatedAfter=first["lastUpdatedBefore"])

    assert rest == [[placed[1]]]
    assert list(again) == [placed[2]]


async def test_an_unknown_order_is_not_found(account: Account) -> None:
    answer = await account.get(f"{ORDERS}/111-0000000-0000000")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NotFound")


async def test_cancelled_units_may_also_leave_what_was_ordered(opened: Opened) -> None:
    account = await opened.account(a_seed(cancelled_units_leave_ordered=True))
    order_id = await account.buy("RED-CLOCK", 3)
    await account.control(f"orders/{order_id}/edit", sku="RED-CLOCK", quantity=2)

    (item,) = (await account.order(order_id))["orderItems"]

    assert (item["quantityOrdered"], item["fulfillment"]["quantityUnfulfilled"]) == (2, 2)
