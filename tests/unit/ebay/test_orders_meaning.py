"""What an order means for stock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Address, Malformed, Money, News, OrderLine, OrderNews, OrderState, Problem, RawEvent
from adapters.ebay.webhook import resolve
from adapters.events import POLL_TOPIC
from tests.unit.ebay.doubles import Json, a_line, an_order


def news(order: Any) -> News:
    return resolve(RawEvent("k", POLL_TOPIC, msgspec.json.encode(order)))


def state(order: Json) -> OrderState:
    found = news(order)
    assert isinstance(found, OrderNews), found
    return found.order


def only_line(order: Json) -> OrderLine:
    (line,) = state(order).lines
    return line


def test_a_paid_order_is_read_whole() -> None:
    assert state(an_order()) == OrderState(
        channel_order_id="01-03955-36441",
        name="01-03955-36441",
        version_at=datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
        placed_at=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        cancelled=False,
        test=False,
        lines=(
            OrderLine(
                channel_line_id="10012345678901",
                line_key="110551000001/RED-CLOCK",
                code="RED-CLOCK",
                quantity=2,
                fulfilled=0,
                taken_min=2,
                taken_max=2,
                unit_price=Money(999, "USD"),
            ),
        ),
        ship_to=Address("Ann Buyer", ("1 Main St", "Flat 2"), "San Jose", "CA", "95125", "US"),
        currency="USD",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"cancelStatus": {"cancelState": "CANCELED"}},
        {"orderPaymentStatus": "FAILED"},
        {"orderPaymentStatus": "FULLY_REFUNDED"},
    ],
)
def test_what_is_cancelled_before_shipping_keeps_nothing_and_may_be_on_sale_again_or_not(changes: Json) -> None:
    order = an_order(**changes)

    line = only_line(order)

    assert state(order).cancelled
    assert (line.quantity, line.fulfilled, line.taken_min, line.taken_max) == (0, 0, 0, 2)
    assert state(order).problems == ()


def test_an_asked_for_cancellation_releases_nothing() -> None:
    assert not state(an_order(cancelStatus={"cancelState": "IN_PROGRESS"})).cancelled


def test_a_refund_after_shipping_releases_nothing() -> None:
    sent = [a_line(lineItemFulfillmentStatus="FULFILLED")]
    order = an_order(lines=sent, orderFulfillmentStatus="FULFILLED", orderPaymentStatus="FULLY_REFUNDED")

    line = only_line(order)

    assert not state(order).cancelled
    assert (line.quantity, line.fulfilled, line.taken_min, line.taken_max) == (2, 2, 2, 2)
    assert state(order).problems == ()


@pytest.mark.parametrize("sent", ["IN_PROGRESS", "BRAND_NEW", ...])
def test_a_refund_of_what_may_have_left_in_part_stays_reserved_and_is_told(sent: Any) -> None:
    found = state(an_order(orderFulfillmentStatus=sent, orderPaymentStatus="FULLY_REFUNDED"))

    assert not found.cancelled
    assert found.lines[0].quantity == 2
    assert "cancel the rest at eBay" in "".join(problem.reason for problem in found.problems)


def test_a_cancelled_order_keeps_what_has_left() -> None:
    lines = [a_line("1", lineItemFulfillmentStatus="FULFILLED"), a_line("2")]
    order = an_order(lines=lines, orderFulfillmentStatus="IN_PROGRESS", cancelStatus={"cancelState": "CANCELED"})

    first, second = state(order).lines

    assert (first.quantity, first.fulfilled, first.taken_min, first.taken_max) == (2, 2, 2, 2)
    assert (second.quantity, second.fulfilled, second.taken_min, second.taken_max) == (0, 0, 0, 2)


@pytest.mark.parametrize(("status", "fulfilled"), [("NOT_STARTED", 0), ("IN_PROGRESS", 0), ("FULFILLED", 2)])
def test_a_line_has_left_whole_or_not_at_all(status: str, fulfilled: int) -> None:
    line = only_line(an_order(lines=[a_line(lineItemFulfillmentStatus=status)]))

    assert (line.quantity, line.fulfilled) == (2, fulfilled)


def test_a_pending_payment_is_reserved_and_not_to_be_shipped() -> None:
    found = state(an_order(orderPaymentStatus="PENDING"))

    assert found.lines[0].quantity == 2
    assert found.problems == (Problem("orderPaymentStatus", "the payment is pending: do not ship before it has come"),)


def test_a_line_without_a_sku_names_only_its_listing() -> None:
    line = only_line(an_order(lines=[a_line(sku=...)]))

    assert (line.line_key, line.code, line.quantity, line.parked) == ("110551000001/", None, 2, None)


def test_a_broken_line_is_parked_and_the_others_stand() -> None:
    broken = ["nonsense", a_line("2", quantity="two"), a_line("3", sku=..., legacyItemId=...), a_line("4")]

    by_id = {line.channel_line_id: line for line in state(an_order(lines=broken)).lines}

    assert by_id["01-03955-36441/lines/0"].parked is not None
    assert by_id["2"].parked == Problem("quantity", "not a whole number from 0 to 1000000")
    assert by_id["3"].parked == Problem("sku", "neither a listing nor a SKU")
    assert by_id["4"].parked is None
    assert by_id["4"].quantity == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orderPaymentStatus": "BRAND_NEW"}, "orderPaymentStatus"),
        ({"orderFulfillmentStatus": None}, "orderFulfillmentStatus"),
        ({"cancelStatus": {"cancelState": "BRAND_NEW"}}, "cancelStatus.cancelState"),
        ({"cancelStatus": ...}, "cancelStatus.cancelState"),
        ({"creationDate": "yesterday"}, "creationDate"),
        (
            {"lineItems": [a_line(lineItemCost={"value": "x", "currency": "USD"})]},
            "lineItems.10012345678901.lineItemCost",
        ),
        (
            {"lineItems": [a_line(lineItemFulfillmentStatus="ODD")]},
            "lineItems.10012345678901.lineItemFulfillmentStatus",
        ),
    ],
)
def test_a_bad_field_is_told_and_frees_no_unit(changes: Json, field: str) -> None:
    found = state(an_order(**changes))

    assert [problem.field for problem in found.problems] == [field]
    assert not found.cancelled
    assert found.lines[0].quantity == 2


@pytest.mark.parametrize(
    ("cost", "quantity", "price"),
    [
        ({"value": "10.00", "currency": "USD"}, 3, Money(333, "USD")),
        ({"value": "10.01", "currency": "USD"}, 2, Money(501, "USD")),
        ({"value": "500", "currency": "JPY"}, 2, Money(250, "JPY")),
    ],
)
def test_the_unit_price_is_the_lines_cost_divided(cost: Json, quantity: int, price: Money) -> None:
    assert only_line(an_order(lines=[a_line(lineItemCost=cost, quantity=quantity)])).unit_price == price


def test_the_parcel_goes_to_ebays_hub_where_ebay_ships_on() -> None:
    order = an_order()
    instruction = order["fulfillmentStartInstructions"][0]
    instruction["finalDestinationAddress"] = {"city": "Berlin", "countryCode": "DE"}
    instruction["shippingStep"]["shipTo"]["companyName"] = "eBay hub"

    found = state(order).ship_to

    assert found is not None
    assert (found.lines[0], found.country) == ("eBay hub", "US")


def test_masked_and_missing_addresses_do_not_stop_an_order() -> None:
    assert state(an_order(fulfillmentStartInstructions=...)).ship_to is None
    assert state(an_order(fulfillmentStartInstructions=[{"shippingStep": "odd"}])).ship_to is None


@pytest.mark.parametrize(
    ("kind", "requires_shipping", "by_channel"),
    [("DIGITAL", False, False), ("FULFILLED_BY_EBAY", True, True), ("SHIP_TO", True, False)],
)
def test_who_ships_follows_from_the_instructions(kind: str, requires_shipping: bool, by_channel: bool) -> None:
    line = only_line(an_order(fulfillmentStartInstructions=[{"fulfillmentInstructionsType": kind}]))

    assert (line.requires_shipping, line.by_channel) == (requires_shipping, by_channel)


@pytest.mark.parametrize(
    "order",
    [
        an_order(lastModifiedDate="2026-11-22T10:05:00"),
        an_order(lastModifiedDate=...),
        an_order(orderId=7),
        an_order(lineItems=...),
        an_order(lineItems=None),
        "text",
        None,
    ],
)
def test_what_cannot_be_put_in_sequence_is_malformed(order: Any) -> None:
    assert isinstance(news(order), Malformed)


def test_a_problem_holds_nothing_of_the_buyer() -> None:
    found = news(an_order(lineItems={"Ann Buyer": "secret"}))

    assert isinstance(found, Malformed)
    assert "Ann" not in str(found)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["cancelState", "value"]), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(an_order())), _values, max_size=4),
    st.dictionaries(st.sampled_from(sorted(a_line())), _values, max_size=4),
)
def test_no_order_breaks_the_reading_and_bounds_stay_ordered(order: Json, line: Json) -> None:
    found = news(an_order(lines=[a_line(**line)], **order))

    if isinstance(found, OrderNews):
        for each in found.order.lines:
            assert 0 <= each.taken_min <= each.taken_max
            assert 0 <= each.fulfilled <= each.quantity
