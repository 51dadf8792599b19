"""What buyers and staff do, and what it does to the numbers and to the truth."""

from __future__ import annotations

from typing import Any

from adapters.ebay.sandbox import Format, ItemSeed
from tests.contract.ebay_sandbox.kit import App, Opened, error_id

SHIP_TO = {"name": "Ada Lovelace", "address1": "1 Main Street", "city": "Springfield", "zip": "62701", "country": "US"}


async def found(app: App, order_id: str) -> dict[str, Any]:
    return next(one for one in (await app.report("truth"))["orders"] if one["id"] == order_id)


async def test_a_sale_lowers_the_item_and_the_offer(app: App) -> None:
    await app.buy("RED-CLOCK", 3)

    assert await app.numbers("RED-CLOCK") == (7, 7, 7)
    assert (await app.offer("RED-CLOCK"))["listing"]["soldQuantity"] == 3


async def test_a_sale_may_leave_the_item_as_it_was(opened: Opened) -> None:
    app = await opened.app(item_follows_sale=False)

    await app.buy("RED-CLOCK", 3)

    assert await app.numbers("RED-CLOCK") == (7, 10, 7)


async def test_a_sale_of_an_offer_without_a_number_lowers_the_item(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("RED-CLOCK", quantity=4, capped=False),), item_follows_sale=False)

    await app.buy("RED-CLOCK", 3)

    assert await app.numbers("RED-CLOCK") == (1, 1, None)


async def test_sold_out_refuses_the_buyer_and_the_listing_is_out_of_stock(app: App) -> None:
    await app.buy("BLUE-CLOCK", 5)

    refusal = await app.refused("orders", lines=[{"sku": "BLUE-CLOCK", "quantity": 1}])

    assert refusal == (409, "lines[0].quantity")
    assert (await app.offer("BLUE-CLOCK"))["listing"]["listingStatus"] == "OUT_OF_STOCK"
    assert (await app.report("truth"))["orders_accepted"] == 1


async def test_two_lines_of_one_item_share_what_is_there(app: App) -> None:
    lines = [{"sku": "BLUE-CLOCK", "quantity": 3}, {"sku": "BLUE-CLOCK", "quantity": 3}]

    assert await app.refused("orders", lines=lines) == (409, "lines[1].quantity")
    assert await app.numbers("BLUE-CLOCK") == (5, 5, 5)


async def test_an_unpaid_purchase_lowers_the_listing_and_shows_in_no_order(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3, unpaid=True)
    await app.clock.advance(60)

    assert await app.numbers("RED-CLOCK") == (7, 7, 7)
    assert await app.orders() == []
    assert await app.orders(orderIds=order) == []
    assert error_id(await app.call("GET", f"/sell/fulfillment/v1/order/{order}")) == (404, 32100)
    assert (await app.report("truth"))["orders_accepted"] == 0
    assert (await found(app, order))["paid"] is False


async def test_a_purchase_paid_later_is_an_order_of_the_day_it_was_bought(app: App) -> None:
    bought_at = app.clock.now()
    order = await app.buy("RED-CLOCK", 3, unpaid=True)
    await app.clock.advance(3600)
    await app.control(f"orders/{order}/pay")

    told = await app.order(order)

    assert told["creationDate"] == "2026-11-22T12:00:00.250Z"
    assert told["lastModifiedDate"] == "2026-11-22T13:00:00.250Z"
    assert (told["orderPaymentStatus"], bought_at.hour) == ("PAID", 12)
    assert (await app.report("truth"))["orders_accepted"] == 1
    assert await app.refused(f"orders/{order}/pay") == (409, "id")


async def test_a_dropped_purchase_gives_its_units_back_if_told_to(app: App) -> None:
    kept, given = await app.buy("RED-CLOCK", 3, unpaid=True), await app.buy("RED-CLOCK", 2, unpaid=True)

    await app.control(f"orders/{kept}/cancel", restock=False)
    await app.control(f"orders/{given}/cancel", restock=True)

    assert await app.numbers("RED-CLOCK") == (7, 7, 7)
    assert await app.refused(f"orders/{kept}/pay") == (409, "id")
    assert (await app.report("truth"))["orders_accepted"] == 0
    assert await app.orders() == []


async def test_immediate_payment_leaves_no_purchase_unpaid(opened: Opened) -> None:
    app = await opened.app(immediate_payment=True)

    refusal = await app.refused("orders", lines=[{"sku": "RED-CLOCK", "quantity": 1}], unpaid=True)

    assert refusal == (409, "unpaid")
    assert await app.numbers("RED-CLOCK") == (10, 10, 10)


async def test_a_cancelled_order_is_refunded_and_says_so_in_full_only_when_read_alone(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)
    await app.clock.advance(5)
    await app.control(f"orders/{order}/cancel", restock=True)

    (listed,), alone = await app.orders(), await app.order(order)

    assert listed["cancelStatus"]["cancelState"] == alone["cancelStatus"]["cancelState"] == "CANCELED"
    assert listed["cancelStatus"]["cancelRequests"] == []
    (request,) = alone["cancelStatus"]["cancelRequests"]
    assert request["cancelRequestState"] == "COMPLETED"
    assert alone["orderPaymentStatus"] == "FULLY_REFUNDED"
    assert await app.numbers("RED-CLOCK") == (10, 10, 10)
    truth = await found(app, order)
    assert (truth["cancelled"], truth["lines"][0]["current_quantity"]) == (True, 0)
    assert await app.refused(f"orders/{order}/cancel") == (409, "id")


async def test_a_cancellation_does_not_restock_unless_told_to(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/cancel", restock=False)

    assert await app.numbers("RED-CLOCK") == (7, 7, 7)


async def test_nobody_edits_an_order_of_ebay(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    assert await app.refused(f"orders/{order}/edit", sku="RED-CLOCK", quantity=1) == (409, "quantity")


async def test_fulfilling_ships_everything_once(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/fulfil")

    assert (await app.order(order))["orderFulfillmentStatus"] == "FULFILLED"
    assert (await found(app, order))["lines"][0]["fulfilled"] == 3
    assert await app.refused(f"orders/{order}/fulfil") == (409, "lines")
    assert await app.refused(f"orders/{order}/cancel") == (409, "id")


async def test_a_person_types_a_new_number(app: App) -> None:
    await app.control("levels", sku="RED-CLOCK", available=4)

    assert await app.numbers("RED-CLOCK") == (4, 4, 4)


async def test_items_are_added_and_levels_tell_their_channel_names(app: App) -> None:
    await app.control("items", items=[{"sku": "GREEN-CLOCK", "title": "A green clock", "quantity": 2}])

    level = next(one for one in (await app.report("truth"))["levels"] if one["sku"] == "GREEN-CLOCK")

    assert (level["channel_sku"], level["channel_location"], level["available"]) == ("GREEN-CLOCK", "EBAY_US", 2)
    assert (await app.offer("GREEN-CLOCK"))["offerId"] == level["offer_id"]
    assert (await app.refused("items", items=[{"sku": "GREEN-CLOCK", "quantity": 2}]))[0] == 400


async def test_an_order_tells_what_was_bought_and_where_it_goes(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2, ship_to=SHIP_TO)

    told = await app.order(order)

    (line,) = told["lineItems"]
    assert (line["sku"], line["quantity"], line["soldFormat"]) == ("RED-CLOCK", 2, "FIXED_PRICE")
    assert line["legacyItemId"] == (await app.offer("RED-CLOCK"))["listing"]["listingId"]
    assert line["lineItemCost"] == {"value": "39.80", "currency": "USD"}
    ship_to = told["fulfillmentStartInstructions"][0]["shippingStep"]["shipTo"]
    assert ship_to["fullName"] == "Ada Lovelace"
    assert ship_to["contactAddress"] == {
        "addressLine1": "1 Main Street",
        "city": "Springfield",
        "postalCode": "62701",
        "countryCode": "US",
    }


async def test_a_line_of_a_listing_made_elsewhere_has_no_sku(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("OLD-CLOCK", quantity=4, in_inventory=False),))
    order = await app.buy("OLD-CLOCK")

    (line,) = (await app.order(order))["lineItems"]

    assert "sku" not in line
    assert line["legacyItemId"]


async def test_an_auction_sells_its_one_unit_and_ends(opened: Opened) -> None:
    app = await opened.app(items=(ItemSeed("OLD-CLOCK", quantity=3, format=Format.AUCTION),))

    assert (await app.refused("orders", lines=[{"sku": "OLD-CLOCK", "quantity": 2}]))[0] == 409
    order = await app.buy("OLD-CLOCK")

    assert (await app.order(order))["lineItems"][0]["soldFormat"] == "AUCTION"
    assert (await app.offer("OLD-CLOCK"))["status"] == "UNPUBLISHED"
    assert await app.numbers("OLD-CLOCK") == (0, 2, None)


async def test_wrong_control_input_is_told_with_a_remedy(app: App) -> None:
    assert await app.refused("orders", lines=[{"sku": "GREEN-CLOCK", "quantity": 1}]) == (400, "lines[0].sku")
    assert await app.refused("orders", lines=[{"sku": "RED-CLOCK", "quantity": 0}]) == (400, "lines[0].quantity")
    assert await app.refused("levels", sku="RED-CLOCK", available=-1) == (400, "available")
    assert await app.refused("orders/00-00000-00000/pay") == (404, "id")
    assert await app.refused("faults", lost_reply=2) == (400, "lost_reply")
    assert await app.refused("orders", lines=[{"sku": "RED-CLOCK", "quantity": 1}], by_channel=True) == (
        409,
        "by_channel",
    )
