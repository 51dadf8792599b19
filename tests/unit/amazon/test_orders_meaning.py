"""What an order of the Orders API means for stock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Ignored, Malformed, Money, OrderNews, Problem, RawEvent
from tests.unit.amazon.builders import (
    CANCELLED,
    ITEM_ID,
    ORDER_ID,
    REQUESTED,
    a_package,
    an_item,
    an_order,
    line,
    resolved,
    sent,
    state,
)
from tests.unit.amazon.doubles import Json


def numbers(order: Json) -> tuple[int, int, int, int]:
    found = line(order)
    return found.quantity, found.fulfilled, found.taken_min, found.taken_max


def problems(order: Json) -> list[str]:
    return [problem.field for problem in state(order).problems]


def test_a_plain_order_is_read_whole() -> None:
    order = state(an_order())

    assert (order.channel_order_id, order.name) == (ORDER_ID, ORDER_ID)
    assert order.version_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert order.placed_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert (order.cancelled, order.test, order.currency) == (False, False, "USD")
    assert order.ship_to is not None
    assert (order.ship_to.name, order.ship_to.lines) == ("Steve Shipper", ("123 Shipping Street",))
    assert (order.ship_to.city, order.ship_to.province) == ("Shippington", "KY")
    assert (order.ship_to.postcode, order.ship_to.country) == ("40003", "US")
    assert (order.problems, order.fulfilled_at) == ((), None)
    item = line(an_order())
    assert (item.channel_line_id, item.line_key, item.code) == (ITEM_ID, "RED-CLOCK", "RED-CLOCK")
    assert (item.unit_price, item.by_channel, item.parked) == (Money(1990, "USD"), False, None)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(an_order(status="PENDING"), (2, 0, 2, 2), id="pending lowers the listing already"),
        pytest.param(an_order(status="PENDING_AVAILABILITY"), (2, 0, 2, 2), id="a preorder too"),
        pytest.param(
            an_order(an_item(fulfillment=sent(0, 0)), status="PENDING"), (2, 0, 2, 2), id="pending counts nothing yet"
        ),
        pytest.param(an_order(), (2, 0, 2, 2), id="unshipped"),
        pytest.param(an_order(an_item(fulfillment=None)), (2, 0, 2, 2), id="unshipped and nothing said of the item"),
        pytest.param(
            an_order(an_item(fulfillment=sent(1, 1)), status="PARTIALLY_SHIPPED"), (2, 1, 2, 2), id="one of two sent"
        ),
        pytest.param(an_order(an_item(fulfillment=sent(2, 0)), status="SHIPPED"), (2, 2, 2, 2), id="shipped"),
        pytest.param(
            an_order(an_item(fulfillment=None), status="SHIPPED"), (2, 2, 2, 2), id="shipped, by status alone"
        ),
        pytest.param(
            an_order(an_item(fulfillment=sent(2, 0)), status="InvoiceUnconfirmed"), (2, 2, 2, 2), id="invoice missing"
        ),
        pytest.param(an_order(status="CANCELLED"), (0, 0, 0, 2), id="cancelled: given back or not, nobody says"),
        pytest.param(an_order(status="Canceled"), (0, 0, 0, 2), id="cancelled in the old spelling"),
        pytest.param(
            an_order(an_item(fulfillment=sent(1, 0)), status="CANCELLED"), (1, 1, 1, 2), id="cancelled after one left"
        ),
        pytest.param(
            an_order(an_item(ordered=3, fulfillment=sent(0, 2), cancellation=CANCELLED)),
            (2, 0, 2, 3),
            id="one cancelled",
        ),
        pytest.param(
            an_order(an_item(ordered=3, fulfillment=sent(1, 0), cancellation=CANCELLED), status="SHIPPED"),
            (1, 1, 1, 3),
            id="the rest cancelled",
        ),
        pytest.param(an_order(an_item(cancellation=REQUESTED)), (2, 0, 2, 2), id="a request is no cancellation"),
        pytest.param(an_order(fulfilled_by="AMAZON"), (2, 0, 0, 0), id="FBA lowers no number of ours"),
        pytest.param(an_order(an_item(ordered=0)), (0, 0, 0, 0), id="nothing left of it"),
    ],
)
def test_units_wanted_sent_and_taken(order: Json, expected: tuple[int, int, int, int]) -> None:
    assert numbers(order) == expected
    assert problems(order) == []


def test_one_sku_in_several_items_is_several_lines() -> None:
    order = state(an_order(an_item(item_id="2", ordered=1), an_item(item_id="1", ordered=3)))

    assert [(each.channel_line_id, each.quantity) for each in order.lines] == [("1", 3), ("2", 1)]


def test_an_order_that_amazon_ships_from_fba_is_marked_so() -> None:
    found = line(an_order(an_item(sku=None), fulfilled_by="AMAZON"))

    assert (found.by_channel, found.parked, found.line_key) == (True, None, None)


def test_an_fba_order_needs_no_address() -> None:
    assert state(an_order(fulfilled_by="AMAZON", recipient={"deliveryAddress": {"city": "Reno"}})).problems == ()


def test_our_own_multi_channel_fulfilment_order_is_no_sale() -> None:
    order = an_order(salesChannel={"channelName": "NON_AMAZON"}, fulfilled_by="AMAZON", status="UNFULFILLABLE")

    assert isinstance(resolved(order), Ignored)


def test_a_pending_order_has_neither_address_nor_price() -> None:
    order = an_order(an_item(product={"sellerSku": "RED-CLOCK"}), status="PENDING")
    del order["recipient"]

    found = state(order)

    assert (found.ship_to, found.currency, found.problems) == (None, None, ())
    assert found.lines[0].unit_price is None


def test_a_company_stands_above_the_street() -> None:
    address = {"name": "Jo", "companyName": "Clocks Ltd", "addressLine1": "1 High St", "addressLine2": " "}
    order = state(an_order(recipient={"deliveryAddress": {**address, "countryCode": "GB"}}))

    assert order.ship_to is not None
    assert (order.ship_to.name, order.ship_to.lines) == ("Jo", ("Clocks Ltd", "1 High St"))


FIRST, LATER = datetime(2026, 11, 22, 9, 30, tzinfo=UTC), "2026-11-22T11:00:00Z"

# --- parcels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        pytest.param([a_package()], FIRST, id="one"),
        pytest.param([a_package(LATER), a_package()], datetime(2026, 11, 22, 11, tzinfo=UTC), id="the last of two"),
        pytest.param([a_package(), a_package(None)], None, id="one that does not say may be the last"),
        pytest.param([a_package(LATER, "CANCELLED"), a_package()], FIRST, id="one never left"),
        pytest.param([], None, id="none"),
        pytest.param(None, None, id="not told"),
    ],
)
def test_when_the_last_parcel_left(packages: object, expected: datetime | None) -> None:
    order = state(an_order(an_item(fulfillment=sent(2, 0)), status="SHIPPED", packages=packages))

    assert (order.fulfilled_at, order.problems) == (expected, ())


def test_a_parcel_from_1995_is_told_and_not_believed() -> None:
    order = state(an_order(packages=[a_package("1995-01-01T00:00:00Z")]))

    assert order.fulfilled_at is None
    assert order.problems == (Problem("packages.shipTime", "earlier than the order"),)
    assert order.lines[0].quantity == 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_order_of_an_absurd_day_still_holds_its_units(at: str) -> None:
    assert numbers(an_order(createdTime=at, packages=[a_package()])) == (2, 0, 2, 2)
    assert numbers(an_order(packages=[a_package(at)])) == (2, 0, 2, 2)


def test_an_absurd_date_of_an_fba_order_means_nothing() -> None:
    order = state(an_order(fulfilled_by="AMAZON", packages=[a_package("1995-01-01T00:00:00Z")]))

    assert (order.fulfilled_at, order.problems) == (None, ())


# --- what is wrong with an order never frees its units -------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "TELEPORTED"}, "fulfillmentStatus"),
        ({"status": None}, "fulfillmentStatus"),
        ({"fulfillment": None}, "fulfillmentStatus"),
        ({"fulfilled_by": None}, "fulfilledBy"),
        ({"createdTime": "yesterday"}, "createdTime"),
        ({"createdTime": None, "packages": [a_package()]}, "createdTime"),
        ({"recipient": "me"}, "recipient"),
        ({"recipient": {"deliveryAddress": 7}}, "recipient"),
        ({"recipient": {"deliveryAddress": {"countryCode": "Oz"}}}, "ship_to.country"),
        ({"packages": "two"}, "packages"),
    ],
)
def test_a_bad_field_is_told_and_the_units_stand(changes: dict[str, Any], field: str) -> None:
    order = an_order(**changes)

    assert field in problems(order)
    assert numbers(order) == (2, 0, 2, 2)


@pytest.mark.parametrize(
    ("item", "status", "expected", "field"),
    [
        (an_item(item_id=""), "UNSHIPPED", (2, 0, 2, 2), "lines.0.orderItemId"),
        (an_item(fulfillment=sent(5, 0)), "SHIPPED", (2, 2, 2, 2), f"lines.{ITEM_ID}.quantityFulfilled"),
        (an_item(fulfillment=sent(1, 0)), "SHIPPED", (2, 1, 2, 2), f"lines.{ITEM_ID}.quantityFulfilled"),
        (
            an_item(fulfillment=None, cancellation=CANCELLED),
            "UNSHIPPED",
            (2, 0, 2, 2),
            f"lines.{ITEM_ID}.quantityUnfulfilled",
        ),
        (
            an_item(
                product={"sellerSku": "RED-CLOCK", "price": {"unitPrice": {"amount": 19.9, "currencyCode": "USD"}}}
            ),
            "UNSHIPPED",
            (2, 0, 2, 2),
            f"lines.{ITEM_ID}.unitPrice",
        ),
    ],
)
def test_a_bad_field_of_an_item_is_told_and_its_units_stand(
    item: Json, status: str, expected: tuple[int, int, int, int], field: str
) -> None:
    order = an_order(item, status=status)

    assert numbers(order) == expected
    assert problems(order) == [field]


def test_an_item_that_comes_twice_counts_twice() -> None:
    order = state(an_order(an_item(), an_item()))

    assert [each.quantity for each in order.lines] == [2, 2]
    assert len({each.channel_line_id for each in order.lines}) == 2
    assert [problem.field for problem in order.problems] == ["lines.1.orderItemId"]


@pytest.mark.parametrize("ordered", [None, -1, "2", 2.0, True, 10**9])
def test_an_item_without_a_usable_quantity_is_parked(ordered: object) -> None:
    found = line(an_order(an_item(ordered=ordered)))

    assert found.parked is not None
    assert found.parked.field == "quantityOrdered"
    assert (found.quantity, found.line_key) == (0, "RED-CLOCK")


@pytest.mark.parametrize("sku", [None, "", "  "])
def test_an_item_of_ours_without_a_sku_is_parked(sku: str | None) -> None:
    found = line(an_order(an_item(sku=sku)))

    assert found.parked is not None
    assert found.parked.field == "sellerSku"


@pytest.mark.parametrize("poison", [None, 7, "item", [], {}])
def test_a_poison_item_is_parked_and_stops_no_other(poison: Any) -> None:
    good, bad = state(an_order(poison, an_item())).lines

    assert (good.channel_line_id, good.quantity, good.parked) == (ITEM_ID, 2, None)
    assert bad.parked is not None


@pytest.mark.parametrize("ship_to", ["\x00", "a\x00b"])
def test_a_nul_never_reaches_the_database(ship_to: str) -> None:
    order = state(an_order(an_item(sku="RED\x00-CLOCK"), recipient={"deliveryAddress": {"name": ship_to}}))

    assert order.lines[0].line_key == "RED-CLOCK"
    assert "\x00" not in repr(order)


# --- malformed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"<html>", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"orderItems":[]}', "body"),
        (an_order(orderId="a/b"), "orderId"),
        (an_order(orderId=7), "orderId"),
        (an_order(orderItems=None), "orderItems"),
        (an_order(orderItems="two"), "orderItems"),
        (an_order(lastUpdatedTime=None), "lastUpdatedTime"),
        (an_order(lastUpdatedTime="1.569521782042E9"), "lastUpdatedTime"),
        (an_order(lastUpdatedTime="2026-11-22T10:00:00"), "lastUpdatedTime"),
        (b'{"orderItems":' + b"[" * 100_000, "body"),
    ],
)
def test_an_unreadable_order_is_malformed_by_itself(body: object, field: str) -> None:
    news = resolved(body)

    assert isinstance(news, Malformed)
    assert news.problem.field == field


def test_no_buyers_data_is_in_what_is_said_of_an_unreadable_order() -> None:
    news = resolved(an_order(orderItems=[], lastUpdatedTime="Steve Shipper"))

    assert isinstance(news, Malformed)
    assert "Steve" not in str(news)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*an_order(), "packages"]), JSON)
def test_whatever_one_field_holds_the_order_means_something(field: str, value: object) -> None:
    assert resolved({**an_order(), field: value}) is not None


@given(st.sampled_from([*an_item(), "cancellation"]), JSON)
def test_whatever_a_field_of_an_item_holds_its_units_stand_or_it_is_parked(field: str, value: object) -> None:
    news = resolved(an_order({**an_item(), field: value}))

    assert isinstance(news, OrderNews)
    (found,) = news.order.lines
    assert found.parked is not None or field == "quantityOrdered" or found.quantity == 2


async def test_an_unknown_topic_is_ignored(channel: Any) -> None:
    assert isinstance(channel.resolve(RawEvent("k", "orders/create", b"{}")), Ignored)
