"""Whatever the sandbox answers is what the vendor's own models allow, with no field that they don't name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from adapters.amazon.sandbox import ItemSeed
from tests.contract.amazon_sandbox.kit import LISTINGS, ORDERS, SUMMARIES, US, Account, Opened, a_seed, quantity_patch
from tests.contract.amazon_sandbox.test_selling import parcel
from tests.support.specs.amazon import amazon, notification_wrongs

EVERYTHING = (
    "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS"
)
LISTED = "summaries,attributes,issues,offers,fulfillmentAvailability,procurement,relationships,productTypes"
HERE = {"granularityType": "Marketplace", "granularityId": US, "marketplaceIds": US}


@pytest.fixture
async def account(opened: Opened) -> AsyncIterator[Account]:
    """An account whose whole conversation is judged at the end."""
    vendor = amazon()
    many = tuple(ItemSeed(f"SKU-{number:02d}", fba_quantity=number) for number in range(60))
    account = await opened.account(a_seed(items=(*a_seed().items, *many)))
    yield account
    assert len(account.recorder.exchanges) > 1
    ours = [one for one in account.recorder.exchanges if not one.path.startswith("/_control/")]
    assert vendor.violations(ours) == []


async def every_state(account: Account) -> list[str]:
    """Orders in every state that there is."""
    pending = await account.buy("RED-CLOCK", unpaid=True)
    part = await account.buy("RED-CLOCK", 3)
    await account.confirm(part, await parcel(account, part, 1))
    shipped = await account.buy("BLUE-CLOCK")
    await account.control(f"orders/{shipped}/fulfil")
    by_fba = await account.buy("FBA-CLOCK")
    cancelled = await account.buy("RED-CLOCK")
    await account.control(f"orders/{cancelled}/cancel")
    cut = await account.buy("RED-CLOCK", 2)
    await account.control(f"orders/{cut}/edit", sku="RED-CLOCK", quantity=1)
    return [pending, part, shipped, by_fba, cancelled, cut]


async def test_orders_in_every_state_whole_and_basic(account: Account) -> None:
    placed = await every_state(account)
    for order_id in placed:
        await account.order(order_id, EVERYTHING)
        await account.get(f"{ORDERS}/{order_id}")
    await account.clock.advance(240)
    page = (await account.search(includedData=EVERYTHING, maxResultsPerPage=4)).json()
    rest = (await account.get(ORDERS, createdAfter="2026-11-22T00:00:00Z")).json()

    statuses = {one["status"] for one in (await account.truth())["orders"]}
    assert (len(page["orders"]), len(rest["orders"])) == (4, 6)
    assert "pagination" in page
    assert statuses == {"PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED"}


async def test_listings_read_searched_and_patched(account: Account) -> None:
    for sku in ("RED-CLOCK", "BLUE-CLOCK", "FBA-CLOCK"):
        assert (await account.listing(sku, LISTED))["sku"] == sku
    page = (await account.get(LISTINGS, marketplaceIds=US, includedData=LISTED, pageSize=20)).json()
    more = {"pageToken": page["pagination"]["nextToken"]}
    second = (await account.get(LISTINGS, marketplaceIds=US, includedData=LISTED, pageSize=20, **more)).json()
    accepted = await account.patch("RED-CLOCK", quantity_patch(4), includedData="issues,identifiers")
    invalid = await account.patch("RED-CLOCK", quantity_patch(-4), includedData="issues,identifiers")

    assert len(second["items"]) == 20
    assert [one.json()["status"] for one in (accepted, invalid)] == ["ACCEPTED", "INVALID"]


async def test_what_lies_at_fba(account: Account) -> None:
    await account.buy("FBA-CLOCK")
    first = (await account.get(SUMMARIES, **HERE, details="true")).json()
    second = await account.get(SUMMARIES, **HERE, nextToken=first["pagination"]["nextToken"])

    assert second.status_code == 200


async def test_errors(account: Account) -> None:
    missing = await account.get(f"{ORDERS}/111-0000000-0000000")
    unlisted = await account.get(f"{LISTINGS}/NO-CLOCK", marketplaceIds=US)
    await account.plan("server_error")
    failing = await account.get(SUMMARIES, **HERE)
    throttled = [await account.get(SUMMARIES, **HERE) for _ in range(2)][-1]
    await account.control("tokens/expire")
    expired = await account.get(LISTINGS, marketplaceIds=US)

    statuses = [one.status_code for one in (missing, unlisted, failing, throttled, expired)]
    assert statuses == [404, 404, 500, 429, 403]


async def test_notifications_of_every_change(account: Account) -> None:
    await every_state(account)
    await account.clock.advance(10)
    told = [json.loads(message["Body"]) for message in await account.received()]

    assert {one["Payload"]["OrderChangeNotification"]["Summary"]["OrderStatus"] for one in told} >= {
        "Pending",
        "Unshipped",
        "Shipped",
    }
    assert [wrong for one in told for wrong in notification_wrongs(one)] == []
