"""What orders and people do to the stock."""

from __future__ import annotations

import pytest

from adapters.shopify.sandbox import ItemSeed, LocationSeed, Policy
from tests.unit.shopify_sandbox.kit import App, Opened, a_seed


async def test_a_sale_moves_units_from_available_to_committed(app: App) -> None:
    await app.buy("RED-CLOCK", 4)

    assert await app.numbers("RED-CLOCK") == (6, 4, 10)


async def test_an_order_shows_its_lines_prices_and_address(app: App) -> None:
    address = {"name": "Ada Lovelace", "address1": "Deichstr. 1", "zip": "20459", "country": "de"}
    made = await app.control(
        "orders",
        lines=[{"sku": "RED-CLOCK", "quantity": 2}, {"title": "Gift wrap", "quantity": 1, "price": "2.50"}],
        ship_to=address,
        note="ring twice",
    )

    order = await app.read_order(made["id"])

    clock, wrap = order["lineItems"]["nodes"]
    assert order["name"] == made["name"] == "#1001"
    assert order["currencyCode"] == "EUR"
    assert order["shippingAddress"] == {"name": "Ada Lovelace", "zip": "20459", "countryCodeV2": "DE"}
    assert (clock["sku"], clock["quantity"], clock["currentQuantity"], clock["unfulfilledQuantity"]) == (
        "RED-CLOCK",
        2,
        2,
        2,
    )
    assert clock["originalUnitPriceSet"] == {"shopMoney": {"amount": "10.00", "currencyCode": "EUR"}}
    assert (wrap["sku"], wrap["variant"]) == (None, None)


async def test_a_shop_that_denies_does_not_sell_what_it_does_not_have(app: App) -> None:
    lines = [{"sku": "BLUE-CLOCK", "quantity": 3}, {"sku": "BLUE-CLOCK", "quantity": 3}]

    answer = await app.http.post("/_control/orders", json={"lines": lines})

    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "field": "lines[1].quantity",
        "problem": "5 of BLUE-CLOCK for sale, 6 wanted",
        "remedy": "order fewer, or put more on sale",
        "sku": "BLUE-CLOCK",
        "available": 5,
    }
    assert await app.numbers("BLUE-CLOCK") == (5, 0, 5)
    assert (await app.truth())["orders_accepted"] == 0


async def test_a_shop_that_continues_sells_below_zero(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("ENDLESS", quantity=1, policy=Policy.CONTINUE),)))

    await app.buy("ENDLESS", 3)

    assert await app.numbers("ENDLESS") == (-2, 3, 1)


async def test_an_untracked_item_sells_for_ever_and_moves_nothing(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("GUIDE", tracked=False),)))

    order = await app.buy("GUIDE", 3)
    await app.control(f"orders/{order}/fulfil")

    assert await app.numbers("GUIDE") == (0, 0, 0)


async def test_a_sale_empties_one_location_after_the_other(opened: Opened) -> None:
    places = (LocationSeed("Here"), LocationSeed("Closed", active=False), LocationSeed("There"))
    item = ItemSeed("RED-CLOCK", quantity=2, elsewhere={"There": 5, "Closed": 9})
    app = await opened.app(a_seed(locations=places, items=(item,)))

    await app.buy("RED-CLOCK", 4)

    levels = [(one["available"], one["committed"]) for one in (await app.truth())["levels"]]
    assert levels == [(0, 2), (9, 0), (3, 2)]


@pytest.mark.parametrize(
    ("restock", "expected", "kind"), [(True, (10, 0, 10), "CANCEL"), (False, (8, 0, 8), "NO_RESTOCK")]
)
async def test_a_cancelled_order_gives_back_only_with_restock(
    app: App, restock: bool, expected: tuple[int, int, int], kind: str
) -> None:
    order = await app.buy("RED-CLOCK", 2)

    await app.control(f"orders/{order}/cancel", restock=restock)

    shown = await app.read_order(order)
    (refund,) = shown["refunds"]
    assert await app.numbers("RED-CLOCK") == expected
    assert shown["cancelledAt"] is not None
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 0
    assert [(one["quantity"], one["restockType"]) for one in refund["refundLineItems"]["nodes"]] == [(2, kind)]


async def test_a_cancellation_may_leave_open_what_became_of_the_units(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)

    await app.control(f"orders/{order}/cancel", restock=True, record_refund=False)

    shown = await app.read_order(order)
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)
    assert shown["refunds"] == []
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 2


async def test_what_has_shipped_cannot_be_cancelled(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)
    await app.control(f"orders/{order}/fulfil", lines=[{"sku": "RED-CLOCK", "quantity": 1}])

    answer = await app.http.post(f"/_control/orders/{order}/cancel", json={})

    assert answer.status_code == 409
    assert "outstanding fulfillments" in answer.json()["error"]["problem"]


async def test_fulfilment_takes_committed_units_out_of_the_building(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    unsent = await app.read_order(order)
    await app.control(f"orders/{order}/fulfil", lines=[{"sku": "RED-CLOCK", "quantity": 1}])
    partly = await app.read_order(order)
    await app.clock.advance(90)
    await app.control(f"orders/{order}/fulfil")
    wholly = await app.read_order(order)

    assert partly["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert partly["lineItems"]["nodes"][0]["unfulfilledQuantity"] == 2
    assert wholly["displayFulfillmentStatus"] == "FULFILLED"
    assert unsent["fulfillments"] == []
    assert partly["fulfillments"] == [{"createdAt": "2026-11-22T12:00:00Z", "status": "SUCCESS"}]
    assert wholly["fulfillments"] == [
        {"createdAt": "2026-11-22T12:00:00Z", "status": "SUCCESS"},
        {"createdAt": "2026-11-22T12:01:30Z", "status": "SUCCESS"},
    ]
    assert await app.numbers("RED-CLOCK") == (7, 0, 7)


@pytest.mark.parametrize(
    ("kind", "shipped", "expected"),
    [
        ("cancel", False, (8, 2, 10)),
        ("no_restock", False, (7, 2, 9)),
        ("return", True, (8, 0, 8)),
        ("no_restock", True, (7, 0, 7)),
    ],
)
async def test_a_refund_gives_back_according_to_its_restock_type(
    app: App, kind: str, shipped: bool, expected: tuple[int, int, int]
) -> None:
    order = await app.buy("RED-CLOCK", 3)
    if shipped:
        await app.control(f"orders/{order}/fulfil")

    await app.control(f"orders/{order}/refund", sku="RED-CLOCK", quantity=1, restock_type=kind)

    line = (await app.read_order(order))["lineItems"]["nodes"][0]
    assert await app.numbers("RED-CLOCK") == expected
    assert (line["quantity"], line["currentQuantity"]) == (3, 2)


async def test_only_shipped_units_can_be_returned(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    answer = await app.http.post(
        f"/_control/orders/{order}/refund", json={"sku": "RED-CLOCK", "quantity": 1, "restock_type": "return"}
    )

    assert answer.status_code == 409


async def test_an_edit_takes_units_off_without_saying_where_they_went(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=1, restock=True)

    shown = await app.read_order(order)
    assert shown["edited"] is True
    assert shown["refunds"] == []
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 1
    assert await app.numbers("RED-CLOCK") == (9, 1, 10)


async def test_an_edit_adds_units_as_a_new_line(app: App) -> None:
    order = await app.buy("RED-CLOCK", 1)

    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=3)
    await app.control(f"orders/{order}/edit", sku="BLUE-CLOCK", quantity=2)

    lines = (await app.read_order(order))["lineItems"]["nodes"]
    assert [(one["sku"], one["currentQuantity"]) for one in lines] == [
        ("RED-CLOCK", 1),
        ("RED-CLOCK", 2),
        ("BLUE-CLOCK", 2),
    ]
    assert await app.numbers("RED-CLOCK") == (7, 3, 10)


async def test_one_line_among_several_of_an_item_is_named_by_its_id(app: App) -> None:
    order = await app.buy("RED-CLOCK", 1)
    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=3)
    first, second = (line["id"] for line in (await app.truth())["orders"][0]["lines"])

    await app.control(f"orders/{order}/edit", line_id=second, quantity=1)
    await app.control(f"orders/{order}/refund", line_id=first, quantity=1, restock_type="cancel")

    lines = (await app.truth())["orders"][0]["lines"]
    assert [line["current_quantity"] for line in lines] == [0, 1]
    assert await app.numbers("RED-CLOCK") == (9, 1, 10)


async def test_a_person_sets_a_level_by_hand(app: App) -> None:
    await app.buy("RED-CLOCK", 2)

    answer = await app.control("levels", sku="RED-CLOCK", available=20)

    assert answer == {"sku": "RED-CLOCK", "available": 20, "on_hand": 22}
    assert await app.numbers("RED-CLOCK") == (20, 2, 22)
