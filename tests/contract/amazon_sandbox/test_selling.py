"""What orders do to the merchant's number and to FBA's stock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.amazon_sandbox.kit import Account


async def refusal(account: Account, path: str, **body: Any) -> dict[str, Any]:
    answer = await account.http.post(f"/_control/{path}", json=body)
    assert answer.status_code == 409, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


async def state(account: Account, order_id: str) -> tuple[str, list[tuple[int, int, int]]]:
    """(status, [(ordered, fulfilled, unfulfilled)])."""
    order = await account.order(order_id)
    items = [
        (one["quantityOrdered"], one["fulfillment"]["quantityFulfilled"], one["fulfillment"]["quantityUnfulfilled"])
        for one in order["orderItems"]
    ]
    return order["fulfillment"]["fulfillmentStatus"], items


async def test_a_sale_lowers_the_number_while_it_is_still_pending(account: Account) -> None:
    await account.buy("RED-CLOCK", 3, unpaid=True)

    assert await account.live("RED-CLOCK") == 7
    assert await account.available("RED-CLOCK") == 7


async def test_an_order_goes_from_pending_to_unshipped_to_shipped(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 2, unpaid=True)
    states = [await state(account, order_id)]
    for step in ("pay", "fulfil"):
        await account.control(f"orders/{order_id}/{step}")
        states.append(await state(account, order_id))

    assert states == [("PENDING", [(2, 0, 2)]), ("UNSHIPPED", [(2, 0, 2)]), ("SHIPPED", [(2, 2, 0)])]
    assert await account.available("RED-CLOCK") == 8


@pytest.mark.parametrize(("restock", "left"), [(True, 10), (False, 7)])
async def test_a_cancelled_order_gives_its_units_back_if_they_are_restocked(
    account: Account, restock: bool, left: int
) -> None:
    order_id = await account.buy("RED-CLOCK", 3)

    await account.control(f"orders/{order_id}/cancel", restock=restock)

    order = await account.order(order_id)
    assert await account.available("RED-CLOCK") == left
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert order["orderItems"][0]["cancellation"]["cancellationExecution"]["cancelledBy"] == "MERCHANT"
    assert (await state(account, order_id))[1] == [(3, 0, 0)]


async def test_a_sold_out_offer_refuses_the_buyer(account: Account) -> None:
    error = await refusal(account, "orders", lines=[{"sku": "RED-CLOCK", "quantity": 11}])

    assert (error["field"], error["available"]) == ("lines[0].quantity", 10)
    assert await account.available("RED-CLOCK") == 10
    assert (await account.truth())["orders_accepted"] == 0


async def test_two_lines_of_one_sku_share_what_is_left(account: Account) -> None:
    await refusal(account, "orders", lines=[{"sku": "RED-CLOCK", "quantity": 6}, {"sku": "RED-CLOCK", "quantity": 6}])
    placed = await account.control(
        "orders", lines=[{"sku": "RED-CLOCK", "quantity": 6}, {"sku": "RED-CLOCK", "quantity": 4}]
    )

    assert (await state(account, placed["id"]))[1] == [(6, 0, 6), (4, 0, 4)]
    assert await account.available("RED-CLOCK") == 0


async def test_a_part_of_an_order_can_be_cancelled_but_never_added(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 5)

    await account.control(f"orders/{order_id}/edit", sku="RED-CLOCK", quantity=2)
    error = await refusal(account, f"orders/{order_id}/edit", sku="RED-CLOCK", quantity=3)

    assert error["field"] == "quantity"
    assert await state(account, order_id) == ("UNSHIPPED", [(5, 0, 2)])
    assert await account.available("RED-CLOCK") == 8


async def test_an_order_whose_last_unit_is_cancelled_is_cancelled(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 2)

    await account.control(f"orders/{order_id}/edit", sku="RED-CLOCK", quantity=0)

    assert await state(account, order_id) == ("CANCELLED", [(2, 0, 0)])
    assert (await account.truth())["orders"][0]["cancelled"] is True


async def test_what_can_not_be_done_to_an_order_is_refused(account: Account) -> None:
    pending = await account.buy("RED-CLOCK", unpaid=True)
    shipped = await account.buy("RED-CLOCK")
    await account.control(f"orders/{shipped}/fulfil")
    cancelled = await account.buy("RED-CLOCK")
    await account.control(f"orders/{cancelled}/cancel")

    for path in (
        f"orders/{pending}/fulfil",
        f"orders/{shipped}/fulfil",
        f"orders/{shipped}/cancel",
        f"orders/{shipped}/pay",
        f"orders/{cancelled}/cancel",
        f"orders/{cancelled}/fulfil",
    ):
        assert (await refusal(account, path))["remedy"]


async def test_an_order_by_fba_lowers_what_is_fulfillable_and_never_the_merchants_number(account: Account) -> None:
    order_id = await account.buy("BLUE-CLOCK", 3, by_channel=True)

    order = await account.order(order_id, "FULFILLMENT,RECIPIENT")
    assert order["fulfillment"]["fulfilledBy"] == "AMAZON"
    assert "addressLine1" not in order["recipient"]["deliveryAddress"]
    assert (await account.at_fba("BLUE-CLOCK"), await account.available("BLUE-CLOCK")) == (5, 5)
    assert (await account.truth())["orders"][0]["lines"][0]["by_channel"] is True


async def test_an_order_by_the_merchant_never_touches_fba(account: Account) -> None:
    await account.buy("BLUE-CLOCK", 2)

    assert (await account.at_fba("BLUE-CLOCK"), await account.available("BLUE-CLOCK")) == (8, 3)


async def test_what_only_fba_sells_is_fbas_order(account: Account) -> None:
    order_id = await account.buy("FBA-CLOCK")
    error = await refusal(account, "orders", lines=[{"sku": "FBA-CLOCK", "quantity": 1}], by_channel=False)
    sold_out = await refusal(account, "orders", lines=[{"sku": "RED-CLOCK", "quantity": 1}], by_channel=True)

    assert (await account.order(order_id))["fulfillment"]["fulfilledBy"] == "AMAZON"
    assert (error["available"], sold_out["available"]) == (0, 0)


async def test_fba_takes_cancelled_units_back(account: Account) -> None:
    kept = await account.buy("FBA-CLOCK", 1)
    dropped = await account.buy("FBA-CLOCK", 2)
    await account.control(f"orders/{dropped}/cancel")
    await account.control(f"orders/{kept}/fulfil")

    assert await account.at_fba("FBA-CLOCK") == 3


# --- confirmShipment ---------------------------------------------------------------------------------------------


async def parcel(account: Account, order_id: str, quantity: int, **changes: Any) -> dict[str, Any]:
    item = (await account.order(order_id))["orderItems"][0]["orderItemId"]
    return {
        "packageReferenceId": "1",
        "carrierCode": "UPS",
        "trackingNumber": "1Z999",
        "shipDate": "2026-11-22T12:00:00Z",
        "orderItems": [{"orderItemId": item, "quantity": quantity}],
        **changes,
    }


async def test_a_confirmed_parcel_ships_its_units(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 3)

    first = await account.confirm(order_id, await parcel(account, order_id, 1))
    part = await state(account, order_id)
    await account.confirm(order_id, await parcel(account, order_id, 2, packageReferenceId="2"))

    assert (first.status_code, first.content) == (204, b"")
    assert part == ("PARTIALLY_SHIPPED", [(3, 1, 2)])
    assert (await state(account, order_id))[0] == "SHIPPED"
    packages = (await account.order(order_id, "PACKAGES"))["packages"]
    assert [one["packageReferenceId"] for one in packages] == ["1", "2"]


async def test_the_same_reference_once_more_corrects_the_parcel(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 3)
    await account.confirm(order_id, await parcel(account, order_id, 3))

    again = await account.confirm(order_id, await parcel(account, order_id, 3, trackingNumber="1Z000"))

    assert again.status_code == 204
    assert await state(account, order_id) == ("SHIPPED", [(3, 3, 0)])
    assert (await account.order(order_id, "PACKAGES"))["packages"][0]["trackingNumber"] == "1Z000"


async def test_a_new_parcel_of_a_shipped_order_may_mean_that_it_is_done(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK")
    await account.control(f"orders/{order_id}/fulfil")

    answer = await account.confirm(order_id, await parcel(account, order_id, 1, packageReferenceId="7"))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "PackageToUpdateNotFound")


@pytest.mark.parametrize(
    "changes",
    [
        {"packageReferenceId": 1},
        {"packageReferenceId": "one"},
        {"packageReferenceId": "0"},
        {"shipDate": "02/21/2022"},
        {"carrierCode": "Other"},
        {"orderItems": []},
        {"orderItems": [{"orderItemId": "1", "quantity": 1}]},
    ],
)
async def test_a_parcel_that_breaks_a_rule_is_refused(account: Account, changes: dict[str, Any]) -> None:
    order_id = await account.buy("RED-CLOCK")

    answer = await account.confirm(order_id, await parcel(account, order_id, 1, **changes))

    assert answer.status_code == 400
    assert (await state(account, order_id))[0] == "UNSHIPPED"


async def test_fbas_orders_pending_ones_and_too_many_units_can_not_be_confirmed(account: Account) -> None:
    by_fba = await account.buy("FBA-CLOCK")
    pending = await account.buy("RED-CLOCK", unpaid=True)
    open_order = await account.buy("RED-CLOCK")

    for order_id, quantity in ((by_fba, 1), (pending, 1), (open_order, 2)):
        answer = await account.confirm(order_id, await parcel(account, order_id, quantity))
        assert answer.status_code == 400


async def test_an_unknown_orders_parcel_is_not_found(account: Account) -> None:
    answer = await account.confirm("111-0000000-0000000", {"packageReferenceId": "1"})

    assert answer.status_code == 404
