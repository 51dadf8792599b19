"""What an order and its shipments mean: one state, whatever ShipBob has made of our request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.shipbob.mapping import SHIPMENTS, shipment_state
from adapters.shipbob.wire import OrderView
from adapters.warehouse import Parcel, ShipmentStatus
from tests.unit.shipbob.doubles import Json, a_shipment, order_json, shipped_product, tracking, view

RED = shipped_product("RED", (11, 1))
ACCEPTED, PICKING, SHIPPED = ShipmentStatus.ACCEPTED, ShipmentStatus.PICKING, ShipmentStatus.SHIPPED
CANCELLED, EXCEPTION = ShipmentStatus.CANCELLED, ShipmentStatus.EXCEPTION


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("None", ACCEPTED),
        ("Processing", ACCEPTED),
        ("LabeledCreated", PICKING),
        ("Completed", SHIPPED),
        ("Cancelled", CANCELLED),
        ("Exception", EXCEPTION),
        ("OnHold", EXCEPTION),
        ("ImportReview", EXCEPTION),
        ("CleanSweeped", EXCEPTION),
        ("SomethingNew", EXCEPTION),
        (None, EXCEPTION),
    ],
)
def test_every_status_of_a_single_shipment_has_a_meaning(status: str | None, meaning: ShipmentStatus) -> None:
    of_order = "Cancelled" if status == "Cancelled" else "Processing"

    assert shipment_state(view(order_json(a_shipment(status, RED), status=of_order))).status is meaning


def test_the_state_names_our_reference_and_their_order() -> None:
    state = shipment_state(view(order_json(a_shipment("Processing", RED))))

    assert (state.reference, state.warehouse_shipment_id) == ("syncd-1", "55")
    assert (state.shipped, state.parcels, state.reason) == ({}, (), None)


@pytest.mark.parametrize("detail", ["PickInProgress", "Picked", "Packed", "Labeled"])
def test_what_is_on_the_floor_is_being_picked(detail: str) -> None:
    shipment = a_shipment("Processing", RED, status_details=[{"id": 100, "name": detail, "description": "x"}])

    assert shipment_state(view(order_json(shipment))).status is PICKING


def test_an_exception_says_why_in_the_vendors_words() -> None:
    details = [{"name": "InvalidAddress", "extra_information": {"validation_messages": ["1 Main Street is unknown"]}}]

    state = shipment_state(view(order_json(a_shipment("OnHold", RED, status_details=details))))

    assert state.reason == "OnHold: InvalidAddress"


@pytest.mark.parametrize(
    ("of_order", "meaning"),
    [("Processing", ACCEPTED), ("ImportReview", EXCEPTION), ("Exception", EXCEPTION), ("Cancelled", CANCELLED)],
)
def test_an_order_without_shipments_is_what_it_says_itself(of_order: str, meaning: ShipmentStatus) -> None:
    assert shipment_state(view(order_json(status=of_order))).status is meaning


@pytest.mark.parametrize("of_order", ["Fulfilled", "PartiallyFulfilled", "New", None])
def test_an_order_without_shipments_that_cannot_be_so_is_for_a_person(of_order: str | None) -> None:
    state = shipment_state(view(order_json(status=of_order)))

    assert state.status is EXCEPTION
    assert state.reason == f"the order is {of_order} and has no shipments"


# --- several shipments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "of_order", "meaning"),
    [
        (("Completed", "Completed"), "Fulfilled", SHIPPED),
        (("Completed", "Processing"), "PartiallyFulfilled", ACCEPTED),
        (("Completed", "LabeledCreated"), "PartiallyFulfilled", PICKING),
        (("Processing", "LabeledCreated"), "Processing", PICKING),
        (("Completed", "OnHold"), "PartiallyFulfilled", EXCEPTION),
        (("Processing", "Exception"), "Exception", EXCEPTION),
        (("Cancelled", "Cancelled"), "Cancelled", CANCELLED),
        (("Cancelled", "Processing"), "Processing", ACCEPTED),
        (("Cancelled", "Completed"), "Fulfilled", SHIPPED),
        (("Cancelled", "Cancelled"), "Processing", EXCEPTION),
        (("Completed", "Completed"), "PartiallyFulfilled", ACCEPTED),
    ],
)
def test_an_order_is_done_only_when_nothing_of_it_is_left_to_leave(
    statuses: tuple[str, ...], of_order: str, meaning: ShipmentStatus
) -> None:
    shipments = [a_shipment(status, RED) for status in statuses]

    assert shipment_state(view(order_json(*shipments, ordered={"RED": 2}, status=of_order))).status is meaning


def test_a_partly_cancelled_order_is_shipped_with_the_pieces_that_left() -> None:
    gone, called_back = a_shipment("Completed", RED), a_shipment("Cancelled", shipped_product("BLUE", (12, 1)))

    state = shipment_state(view(order_json(gone, called_back, ordered={"RED": 1, "BLUE": 1}, status="Fulfilled")))

    assert (state.status, state.shipped) == (SHIPPED, {"RED": 1})
    assert state.reason == "1 of 2 shipments were cancelled"


def test_a_partly_shipped_order_tells_what_has_left_so_far() -> None:
    gone = a_shipment("Completed", shipped_product("RED", (11, 2)), tracking=tracking())
    here = a_shipment("Processing", shipped_product("RED", (11, 1)))

    state = shipment_state(view(order_json(gone, here, ordered={"RED": 3}, status="PartiallyFulfilled")))

    assert (state.status, state.shipped, len(state.parcels)) == (ACCEPTED, {"RED": 2}, 1)


# --- parcels and pieces --------------------------------------------------------------------------------------------


def test_a_parcel_has_its_tracking_and_its_pieces() -> None:
    state = shipment_state(view(order_json(a_shipment("Completed", RED, tracking=tracking("1Z9")), status="Fulfilled")))

    left_at = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert state.parcels == (Parcel("UPS", "1Z9", "https://ups.example/1Z9", left_at, {"RED": 1}),)


def test_a_parcel_may_leave_before_its_tracking_is_known() -> None:
    shipment = a_shipment("Completed", RED, actual_fulfillment_date="2026-11-22T12:00:00")

    (parcel,) = shipment_state(view(order_json(shipment, status="Fulfilled"))).parcels

    assert parcel == Parcel(None, None, None, datetime(2026, 11, 22, 12, tzinfo=UTC), {"RED": 1})


def test_a_label_alone_is_no_parcel() -> None:
    assert shipment_state(view(order_json(a_shipment("LabeledCreated", RED, tracking=tracking())))).parcels == ()


def test_a_single_shipment_holds_what_was_ordered_and_not_the_inventory_inside() -> None:
    kit = shipped_product("KIT", (11, 2), (12, 6))

    state = shipment_state(view(order_json(a_shipment("Completed", kit), ordered={"KIT": 2}, status="Fulfilled")))

    assert state.shipped == {"KIT": 2}


@pytest.mark.parametrize(
    ("ordered", "shipments", "shipped"),
    [
        ({"RED": 3}, [("Completed", [(11, 2)]), ("Completed", [(11, 1)])], {"RED": 3}),
        ({"RED": 2}, [("Completed", [(11, 3)]), ("Completed", [(11, 3)])], {"RED": 2}),  # packs of three
        ({"RED": 2}, [("Completed", [(11, 3)]), ("Processing", [(11, 3)])], {"RED": 1}),
        ({"RED": 2}, [("Completed", [(11, 3)]), ("Cancelled", [(11, 3)])], {"RED": 1}),
        ({"RED": 2}, [("Cancelled", [(11, 2)]), ("Completed", [(11, 2)])], {"RED": 2}),  # replaced
        ({"RED": 2}, [("Completed", [(11, 1)]), ("Cancelled", [(11, 1)])], {"RED": 1}),
        ({"RED": 2}, [("Completed", [(11, 2), (12, 4)]), ("Processing", [(11, 2), (12, 4)])], {"RED": 1}),  # kits
        ({"RED": 1}, [("Completed", [(11, 1)]), ("Completed", [(12, 1)])], {"RED": 1}),  # a kit in two boxes
        ({"RED": 2}, [("CleanSweeped", [(11, 2)]), ("Completed", [(11, 2)])], {"RED": 2}),
        ({"RED": 1}, [("OnHold", [(11, 1)]), ("Completed", [(11, 1)])], {"RED": 1}),
        ({}, [("Completed", [(11, 2)]), ("Processing", [(11, 1)])], {"RED": 2}),
    ],
)
def test_of_several_shipments_each_has_the_pieces_that_fit_the_order(
    ordered: dict[str, int], shipments: list[tuple[str, list[tuple[int, int]]]], shipped: dict[str, int]
) -> None:
    made = [a_shipment(status, shipped_product("RED", *inside)) for status, inside in shipments]

    assert shipment_state(view(order_json(*made, ordered=ordered, status="Processing"))).shipped == shipped


def test_one_lot_more_makes_no_piece_more() -> None:
    two_lots = a_shipment("Completed", shipped_product("RED", (11, 1), (11, 1)))
    other = a_shipment("Completed", shipped_product("RED", (11, 1)))

    state = shipment_state(view(order_json(two_lots, other, ordered={"RED": 3}, status="Fulfilled")))

    assert state.shipped == {"RED": 3}


# --- nothing makes it fail -----------------------------------------------------------------------------------------

NAMES = sorted({"quantity", "inventory_items", "carrier", "name", *order_json(), *a_shipment(), *RED, *tracking()})
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=4) | st.sampled_from(sorted(SHIPMENTS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)


@given(anything, anything, anything)
def test_no_shape_of_an_order_makes_reading_fail(status: Any, products: Any, shipments: Any) -> None:
    order = OrderView(1, "syncd-1", status, None, products, shipments)

    state = shipment_state(order)

    assert all(number > 0 for number in state.shipped.values())


@given(st.lists(st.sampled_from([*sorted(SHIPMENTS), "Else"]), max_size=4), st.integers(1, 4))
def test_an_order_is_cancelled_only_if_no_shipment_is_anything_else(statuses: list[str], quantity: int) -> None:
    shipments: list[Json] = [a_shipment(status, shipped_product("RED", (11, quantity))) for status in statuses]

    state = shipment_state(view(order_json(*shipments, ordered={"RED": quantity}, status="Cancelled")))

    assert (state.status is CANCELLED) == all(status == "Cancelled" for status in statuses)
    assert bool(state.shipped) == ("Completed" in statuses)


def test_the_statuses_are_the_vendors(shared: Any) -> None:
    spec = shared / "specs" / "threepl" / "shipbob-openapi-2026-01.json"
    if not spec.exists():
        pytest.skip(f"no copy of the vendor's document at {spec}")
    schemas = msgspec.json.decode(spec.read_bytes())["components"]["schemas"]

    assert set(SHIPMENTS) == set(schemas["Orders.OrderStatusEnum"]["enum"])
