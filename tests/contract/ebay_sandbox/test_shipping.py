"""Telling the vendor that parcels have left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.ebay_sandbox.kit import ORDER, App, error_id, stamp

TRACKED = {"shippingCarrierCode": "USPS", "trackingNumber": "9405509699937003457459"}


async def two_lines(app: App) -> tuple[str, list[str]]:
    """An order of 2 RED-CLOCK and 1 BLUE-CLOCK: its path, and the ids of its lines."""
    lines = [{"sku": "RED-CLOCK", "quantity": 2}, {"sku": "BLUE-CLOCK", "quantity": 1}]
    order = (await app.control("orders", lines=lines))["id"]
    told = await app.order(order)
    return f"{ORDER}/{order}/shipping_fulfillment", [line["lineItemId"] for line in told["lineItems"]]


async def test_a_parcel_is_made_and_found_where_the_answer_says(app: App) -> None:
    path, (red, _) = await two_lines(app)

    made = await app.call("POST", path, {"lineItems": [{"lineItemId": red, "quantity": 2}], **TRACKED})

    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["Location"].endswith(f"{path}/{TRACKED['trackingNumber']}")
    told = await app.get(made.headers["Location"])
    assert told["lineItems"] == [{"lineItemId": red, "quantity": 2}]
    assert told["shipmentTrackingNumber"] == TRACKED["trackingNumber"]
    assert (await app.get(path))["total"] == 1


async def test_a_line_counts_as_fulfilled_as_soon_as_one_unit_left(app: App) -> None:
    path, (red, blue) = await two_lines(app)
    order = path.split("/")[-2]

    await app.call("POST", path, {"lineItems": [{"lineItemId": red, "quantity": 1}]})
    begun = await app.order(order)
    await app.call("POST", path, {"lineItems": [{"lineItemId": blue, "quantity": 1}]})
    whole = await app.order(order)

    assert begun["orderFulfillmentStatus"] == "IN_PROGRESS"
    assert [line["lineItemFulfillmentStatus"] for line in begun["lineItems"]] == ["FULFILLED", "NOT_STARTED"]
    assert whole["orderFulfillmentStatus"] == "FULFILLED"
    lines = (await app.report("truth"))["orders"][0]["lines"]
    assert [line["fulfilled"] for line in lines] == [1, 1]


async def test_nothing_shipped_is_an_empty_list(app: App) -> None:
    path, _ = await two_lines(app)

    assert await app.get(path) == {"total": 0, "fulfillments": []}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lineItems": [{"lineItemId": "1", "quantity": 1}]}, (400, 32200)),
        ({"lineItems": []}, (400, 32600)),
        ({"quantity": 3}, (400, 32600)),
        ({"quantity": 0}, (400, 32600)),
        ({"trackingNumber": "940550"}, (400, 32300)),
        ({"shippingCarrierCode": "USPS"}, (400, 32300)),
        ({"shippingCarrierCode": "USPS", "trackingNumber": "9405-5096"}, (400, 32300)),
        ({"shippedDate": "yesterday"}, (400, 32500)),
        ({"shippedDate": "2020-01-01T00:00:00.000Z"}, (400, 32500)),
        ({"lineItems": "all"}, (400, 2004)),
    ],
)
async def test_each_fault_of_a_parcel_has_its_error(app: App, changes: dict[str, Any], error: tuple[int, int]) -> None:
    path, (red, _) = await two_lines(app)
    line = {"lineItemId": red, "quantity": changes.pop("quantity", 1)}

    answer = await app.call("POST", path, {"lineItems": [line]} | changes)

    assert error_id(answer) == error
    assert (await app.get(path))["total"] == 0


async def test_a_line_named_twice_is_refused(app: App) -> None:
    path, (red, _) = await two_lines(app)

    answer = await app.call("POST", path, {"lineItems": [{"lineItemId": red, "quantity": 1}] * 2})

    assert error_id(answer) == (400, 32210)


async def test_a_cancelled_order_is_in_conflict_and_an_unknown_one_refused(app: App) -> None:
    path, (red, _) = await two_lines(app)
    await app.control(f"orders/{path.split('/')[-2]}/cancel")
    body = {"lineItems": [{"lineItemId": red, "quantity": 1}]}

    assert error_id(await app.call("POST", path, body)) == (409, 32600)
    assert error_id(await app.call("POST", f"{ORDER}/00-00000-00000/shipping_fulfillment", body)) == (400, 32100)


async def test_the_day_of_shipping_may_be_told(app: App) -> None:
    path, (red, _) = await two_lines(app)
    await app.clock.advance(100)
    at = app.clock.now() - timedelta(seconds=50)
    body = {"lineItems": [{"lineItemId": red, "quantity": 1}], "shippedDate": stamp(at), **TRACKED}

    await app.call("POST", path, body)

    assert (await app.get(path))["fulfillments"][0]["shippedDate"] == stamp(at)
    assert error_id(await app.call("POST", path, body)) == (409, 34500)
