"""What a notification means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.amazon.news import UNREADABLE_TOPIC, resolve
from adapters.amazon.notification import notification_id
from adapters.contract import Address, Ignored, ListingHint, Malformed, OrderHint, RawEvent
from tests.unit.amazon.builders import (
    ITEM_ID,
    ORDER_ID,
    a_notification,
    an_envelope,
    an_order,
    state,
    state_of,
    told,
)
from tests.unit.amazon.doubles import Json
from tests.unit.amazon.test_orders_meaning import JSON

HINT = OrderHint(ORDER_ID)


def test_a_whole_notification_reserves_without_a_call() -> None:
    order = state_of(told(a_notification()))

    assert order.channel_order_id == ORDER_ID
    assert order.placed_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert (order.cancelled, order.problems) == (False, ())
    assert order.ship_to == Address(country="US", postcode="40003")
    (line,) = order.lines
    assert (line.channel_line_id, line.line_key, line.code) == (ITEM_ID, "RED-CLOCK", "RED-CLOCK")
    assert (line.quantity, line.fulfilled, line.taken_min, line.taken_max) == (2, 0, 2, 2)


def test_the_polled_order_of_the_same_change_counts_as_newer() -> None:
    notified, polled = state_of(told(a_notification())), state(an_order())

    assert polled.version_at - notified.version_at == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("summary", "item", "polled"),
    [
        ({"OrderStatus": "Pending"}, {}, an_order(status="PENDING")),
        ({"OrderStatus": "Unshipped"}, {}, an_order()),
        ({"OrderStatus": "Canceled"}, {}, an_order(status="CANCELLED")),
        ({"OrderStatus": "Unshipped", "NumberOfItemsUnshipped": 2}, {}, an_order()),
        ({"OrderStatus": "Pending", "NumberOfItemsUnshipped": 0}, {}, an_order(status="PENDING")),
        ({"FulfillmentType": "AFN"}, {}, an_order(fulfilled_by="AMAZON")),
    ],
)
def test_both_ways_say_the_same_of_the_same_order(summary: Json, item: Json, polled: Json) -> None:
    def told_of(order: Any) -> object:
        return order.cancelled, [
            (each.channel_line_id, each.quantity, each.fulfilled, each.taken_min, each.taken_max, each.by_channel)
            for each in order.lines
        ]

    assert told_of(state_of(told(a_notification(summary=summary, item=item)))) == told_of(state(polled))


@pytest.mark.parametrize(
    "notification",
    [
        pytest.param(a_notification({"NotificationLevel": "OrderItemLevel"}), id="one item of several"),
        pytest.param(a_notification({"OrderChangeType": "BuyerRequestedChange"}), id="a buyer's request"),
        pytest.param(a_notification({"OrderChangeType": "SomethingNew"}), id="a change of a new kind"),
        pytest.param(a_notification({"OrderChangeTrigger": {"TimeOfOrderChange": None}}), id="no instant"),
        pytest.param(
            a_notification({"OrderChangeTrigger": {"TimeOfOrderChange": "0001-01-01T00:00:00Z"}}), id="year 1"
        ),
        pytest.param(a_notification({"OrderChangeTrigger": None}), id="no trigger"),
        pytest.param(a_notification({"Summary": None}), id="no summary"),
        pytest.param(a_notification(summary={"PurchaseDate": None}), id="no purchase date"),
        pytest.param(a_notification(summary={"OrderStatus": "Teleported"}), id="unknown status"),
        pytest.param(a_notification(summary={"OrderStatus": "Unfulfillable"}), id="perhaps an order of ours"),
        pytest.param(a_notification(summary={"FulfillmentType": None}), id="nobody ships it"),
        pytest.param(a_notification(summary={"OrderItems": []}), id="no items"),
        pytest.param(a_notification(summary={"OrderItems": [7]}), id="a poison item"),
        pytest.param(a_notification(item={"SellerSKU": ""}), id="no SKU"),
        pytest.param(a_notification(item={"Quantity": None}), id="no quantity"),
        pytest.param(a_notification(item={"Quantity": -2}), id="a negative quantity"),
        pytest.param(a_notification(item={"OrderItemId": None}), id="no item id"),
        pytest.param(a_notification(summary={"NumberOfItemsUnshipped": 1}), id="less to send than the items name"),
    ],
)
def test_anything_less_is_only_a_hint(notification: Json) -> None:
    assert told(notification) == HINT


@pytest.mark.parametrize(
    "status", ["Shipped", "SHIPPED", "PartiallyShipped", "PARTIALLY_SHIPPED", "InvoiceUnconfirmed"]
)
@pytest.mark.parametrize("shipped", [0, 1, 2, None])
def test_of_an_order_that_has_left_a_notification_cannot_say_what_was_cancelled(
    status: str, shipped: int | None
) -> None:
    assert told(a_notification(summary={"OrderStatus": status}, item={"QuantityShipped": shipped})) == HINT


def test_a_buyers_request_to_cancel_cancels_nothing() -> None:
    change = {"OrderChangeType": "BuyerRequestedChange"}

    assert told(a_notification(change, item={"IsBuyerRequestedCancel": True})) == HINT


def test_a_tip_has_no_effect_on_stock() -> None:
    assert isinstance(told(a_notification({"OrderChangeType": "DeliveryTipChange"})), Ignored)


def test_a_half_address_never_replaces_a_whole_one_once_it_is_too_late_to_choose() -> None:
    assert state_of(told(a_notification(summary={"OrderStatus": "Canceled"}))).ship_to is None


@pytest.mark.parametrize("marketplace", ["A-NEW-ONE", None, 7, []])
def test_an_unknown_marketplace_gives_no_country(marketplace: object) -> None:
    order = state_of(told(a_notification(summary={"MarketplaceId": marketplace})))

    assert (order.ship_to, order.lines[0].quantity) == (None, 2)


def camel(raw: object) -> object:
    if isinstance(raw, dict):
        return {key[:1].lower() + key[1:]: camel(value) for key, value in raw.items()}
    return [camel(each) for each in raw] if isinstance(raw, list) else raw


def test_the_envelope_is_read_whatever_its_spelling() -> None:
    assert told(camel(a_notification())) == told(a_notification())


def test_a_notification_by_way_of_eventbridge_is_read() -> None:
    assert told({"version": "0", "id": "e1", "detail": a_notification()}) == told(a_notification())


def test_a_changed_number_of_ours_is_a_hint_to_read() -> None:
    payload = {"SellerId": "A", "FulfillmentChannelCode": "DEFAULT", "Sku": "RED-CLOCK", "Quantity": 3}

    assert told(an_envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", payload)) == ListingHint("RED-CLOCK", "DEFAULT", 3)
    other = {**payload, "FulfillmentChannelCode": "AMAZON_NA"}
    assert isinstance(told(an_envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", other)), Ignored)


@pytest.mark.parametrize("kind", ["FEED_PROCESSING_FINISHED", "A_TYPE_OF_TOMORROW", ""])
def test_an_unknown_type_is_ignored_with_its_name(kind: str) -> None:
    news = told(an_envelope(kind, {}))

    assert isinstance(news, Ignored)
    assert (kind or "missing") in news.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        msgspec.json.encode({"Type": "Notification", "Message": "by way of SNS"}),
        msgspec.json.encode(an_envelope("ORDER_CHANGE", None)),
        msgspec.json.encode(an_envelope("ORDER_CHANGE", {"OrderChangeNotification": []})),
        msgspec.json.encode(a_notification({"AmazonOrderId": None})),
        msgspec.json.encode(a_notification({"AmazonOrderId": "a/b"})),
        msgspec.json.encode(an_envelope("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", {"FulfillmentChannelCode": "DEFAULT"})),
    ],
)
def test_an_unreadable_notification_is_malformed_by_itself(body: bytes) -> None:
    assert isinstance(told(body), Malformed)


def test_what_was_no_notification_at_all_is_told_with_a_remedy() -> None:
    news = resolve(RawEvent("sqs:1", UNREADABLE_TOPIC, b"hello"))

    assert isinstance(news, Malformed)
    assert "queue" in news.problem.reason


@given(st.sampled_from(list(a_notification())), JSON)
def test_whatever_one_field_holds_a_notification_means_something(field: str, value: object) -> None:
    assert told({**a_notification(), field: value}) is not None


def test_every_delivery_of_the_same_notification_has_the_same_id() -> None:
    once = a_notification()

    assert notification_id(msgspec.json.encode(once)) == "d0e9e693-0001"
    assert notification_id(msgspec.json.encode(camel(once))) == "d0e9e693-0001"
    assert notification_id(b"hello") is None
    for bad in ({}, {"NotificationId": ""}, {"NotificationId": "n" * 101}, {"NotificationId": 7}):
        assert notification_id(msgspec.json.encode({**once, "NotificationMetadata": bad})) is None


def test_amazons_own_example_is_understood(shared: Path) -> None:
    schema = shared / "specs" / "amazon" / "schemas" / "notifications" / "OrderChangeNotification.json"
    (example,) = msgspec.json.decode(schema.read_bytes())["examples"]

    assert told(example) == OrderHint("903-8868176-2219830")  # it is a buyer's request
    change = example["Payload"]["OrderChangeNotification"]
    change["OrderChangeType"] = "OrderStatusChange"
    assert [each.quantity for each in state_of(told(example)).lines] == [10]
