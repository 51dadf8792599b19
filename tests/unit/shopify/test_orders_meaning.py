"""What an order means for stock, whichever way it came. `state()` and `line()` compare both shapes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Money, OrderHint, Problem
from adapters.events import POLL_TOPIC
from tests.unit.shopify.builders import (
    LEFT_AT,
    ORDER_ID,
    ALine,
    AnOrder,
    AParcel,
    ARefund,
    fault_in,
    order_in,
    resolved,
)


def numbers(order: AnOrder) -> tuple[int, int, int, int]:
    line = order.line()
    return line.quantity, line.fulfilled, line.taken_min, line.taken_max


def test_a_plain_order_is_read_whole() -> None:
    state = AnOrder().state()

    assert state.channel_order_id == f"gid://shopify/Order/{ORDER_ID}"
    assert state.version_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert state.placed_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert state.version_at.tzinfo is UTC
    assert (state.name, state.cancelled, state.test, state.currency) == ("#1001", False, False, "USD")
    assert state.ship_to is not None
    assert state.ship_to.lines == ("123 Shipping Street",)
    assert (state.ship_to.province, state.ship_to.country) == ("KY", "US")
    assert state.problems == ()
    assert state.fulfilled_at is None
    line = AnOrder().line()
    assert line.channel_line_id == "gid://shopify/LineItem/866550311766439020"
    assert (line.line_key, line.code) == ("gid://shopify/ProductVariant/49121760117052", "RED-CLOCK")
    assert line.unit_price == Money(88595, "USD")


@pytest.mark.parametrize(
    ("line", "refunds", "expected"),
    [
        pytest.param(ALine(quantity=2), (), (2, 0, 2, 2), id="nothing sent"),
        pytest.param(ALine(quantity=3, shipped=1), (), (3, 1, 3, 3), id="one of three sent"),
        pytest.param(ALine(quantity=3, current=2), (ARefund(1, "CANCEL"),), (2, 0, 2, 2), id="one cancelled"),
        pytest.param(ALine(quantity=3, current=2), (ARefund(1, "NO_RESTOCK"),), (2, 0, 3, 3), id="not restocked"),
        pytest.param(ALine(quantity=3, current=2), (), (2, 0, 2, 3), id="removed by an edit, nobody says how"),
        pytest.param(ALine(quantity=2, current=1, shipped=2), (ARefund(1, "RETURN"),), (1, 1, 1, 1), id="returned"),
        pytest.param(ALine(quantity=2, current=1), (ARefund(1, "LEGACY_RESTOCK"),), (1, 0, 1, 2), id="legacy"),
        pytest.param(ALine(quantity=2, current=1), (ARefund(1, "NEW_WORD"),), (1, 0, 1, 2), id="unknown restock type"),
        pytest.param(
            ALine(quantity=2, current=1), (ARefund(1, "RETURN", location=9),), (1, 0, 1, 2), id="another location"
        ),
        pytest.param(
            ALine(quantity=2, current=1), (ARefund(1, "CANCEL", location=None),), (1, 0, 1, 1), id="location not named"
        ),
        pytest.param(ALine(quantity=4, current=1), (ARefund(1, "CANCEL"),), (1, 0, 1, 3), id="partly explained"),
        pytest.param(ALine(quantity=2, current=1), (ARefund(1, "CANCEL", line=3),), (1, 0, 1, 2), id="another line"),
        pytest.param(ALine(quantity=1, current=0), (ARefund(9, "CANCEL"),), (0, 0, 0, 0), id="never below zero"),
        pytest.param(ALine(quantity=2, current=1), (ARefund("one"),), (1, 0, 1, 2), id="unreadable refund"),
    ],
)
def test_units_follow_removals_and_give_backs(
    line: ALine, refunds: tuple[ARefund, ...], expected: tuple[int, int, int, int]
) -> None:
    assert numbers(AnOrder(lines=(line,), refunds=refunds)) == expected


def test_a_cancelled_order_wants_nothing_and_its_units_went_back_as_the_refund_says() -> None:
    restocked = AnOrder(cancelled=True, lines=(ALine(quantity=2, current=0),), refunds=(ARefund(2, "CANCEL"),))
    kept = AnOrder(cancelled=True, lines=(ALine(quantity=2, current=0),), refunds=(ARefund(2, "NO_RESTOCK"),))
    unsaid = AnOrder(cancelled=True, lines=(ALine(quantity=2),))

    assert numbers(restocked) == (0, 0, 0, 0)
    assert numbers(kept) == (0, 0, 2, 2)
    assert numbers(unsaid) == (0, 0, 0, 2)
    assert restocked.state().cancelled


def test_a_cancelled_order_keeps_what_had_left() -> None:
    assert numbers(AnOrder(cancelled=True, lines=(ALine(quantity=3, shipped=1),))) == (1, 1, 1, 3)


def test_fulfillable_zero_without_a_fulfilment_is_not_sent() -> None:
    # REST's number also falls for a fulfilment that is only asked for, and to 0 with a cancellation.
    line = ALine().payload() | {"fulfillable_quantity": 0}
    asked = {"id": 1, "status": "pending", "line_items": [{"id": line["id"], "quantity": 2}]}

    nothing = order_in(resolved("orders/updated", AnOrder().payload() | {"line_items": [line]}))
    pending = AnOrder().payload() | {"line_items": [line], "fulfillment_status": "pending", "fulfillments": [asked]}

    assert nothing.lines[0].fulfilled == 0
    assert order_in(resolved("orders/updated", pending)).lines[0].fulfilled == 0


LATER = LEFT_AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("parcels", "expected"),
    [
        pytest.param((), None, id="none"),
        pytest.param((AParcel(),), LEFT_AT, id="one"),
        pytest.param((AParcel(), AParcel(LATER)), LATER, id="two"),
        pytest.param((AParcel(LATER), AParcel()), LATER, id="two, the later one first"),
        pytest.param((AParcel(), AParcel(LATER, "CANCELLED")), LEFT_AT, id="the later one cancelled"),
        pytest.param(
            (AParcel(), AParcel(LATER, "ERROR"), AParcel(LATER, "FAILURE")), LEFT_AT, id="the later ones failed"
        ),
        pytest.param((AParcel(), AParcel(LATER, "NEW_WORD")), LATER, id="a status that is not known"),
        pytest.param((AParcel(), AParcel(LATER, 5)), LATER, id="a status that is no word"),
        pytest.param((AParcel("soon"),), None, id="unreadable"),
        pytest.param((AParcel(), AParcel(None)), None, id="the one unreadable may be the last"),
        pytest.param((AParcel(), AParcel("soon", "CANCELLED")), LEFT_AT, id="an unreadable one that was cancelled"),
    ],
)
@pytest.mark.parametrize("shipped", [1, 3])
def test_an_order_says_when_its_last_parcel_left(
    parcels: tuple[AParcel, ...], expected: datetime | None, shipped: int
) -> None:
    state = AnOrder(lines=(ALine(quantity=3, shipped=shipped),), parcels=parcels).state()

    assert state.fulfilled_at == expected
    assert state.fulfilled_at is None or state.fulfilled_at.tzinfo is UTC
    assert state.problems == ()
    assert state.lines[0].parked is None


@pytest.mark.parametrize("status", ["CANCELLED", "ERROR", "FAILURE"])
def test_an_order_whose_only_parcel_never_left_was_not_fulfilled(status: str) -> None:
    state = AnOrder(parcels=(AParcel(status=status),)).state()

    assert state.fulfilled_at is None
    assert state.lines[0].fulfilled == 0


@pytest.mark.parametrize("bad", [None, 5, True, "", "soon", "2026-11-22T09:45:00", "0001-01-01T00:00:00+23:59", [], {}])
def test_an_unreadable_instant_of_a_parcel_is_as_if_it_were_not_told(bad: object) -> None:
    state = AnOrder(lines=(ALine(quantity=3, shipped=1),), parcels=(AParcel(bad),)).state()

    assert (state.fulfilled_at, state.problems) == (None, ())
    assert (state.lines[0].quantity, state.lines[0].fulfilled, state.lines[0].parked) == (3, 1, None)


@pytest.mark.parametrize("bad", [None, 5, "none", {}, [None], [5], [{}], [[]]])
def test_unreadable_fulfilments_are_as_if_their_instants_were_not_told(bad: object) -> None:
    state = AnOrder(more={"fulfillments": bad}).state()

    assert (state.fulfilled_at, state.problems) == (None, ())
    assert state.lines[0].quantity == 2


def test_unreadable_lines_of_a_parcel_do_not_hide_its_instant() -> None:
    payload = AnOrder().payload() | {"fulfillments": [AParcel().payload([{"id": None}])]}

    assert order_in(resolved("orders/updated", payload)).fulfilled_at == LEFT_AT


def test_an_order_read_without_its_fulfilments_is_still_an_order() -> None:
    node, payload = AnOrder().node(), AnOrder().payload()
    del node["fulfillments"], payload["fulfillments"]

    assert order_in(resolved(POLL_TOPIC, node)) == order_in(resolved("orders/updated", payload)) == AnOrder().state()


@pytest.mark.parametrize("bad", [-1, 2.0, True, "2", None, 1_000_001, [], 10**30])
def test_a_line_without_a_usable_quantity_is_parked_under_its_key(bad: object) -> None:
    order = AnOrder(lines=(ALine(quantity=bad), ALine(id=2, quantity=1)))
    if bad is None:
        order = order.with_(lines=(ALine(quantity=bad, current=bad), ALine(id=2, quantity=1)))

    healthy, parked = sorted(order.state().lines, key=lambda line: line.parked is not None)

    assert (healthy.quantity, healthy.parked) == (1, None)
    assert parked.parked is not None
    assert parked.parked.field == "quantity"
    assert parked.line_key == "gid://shopify/ProductVariant/49121760117052"
    assert (parked.quantity, parked.fulfilled, parked.taken_min, parked.taken_max) == (0, 0, 0, 0)


def test_a_line_that_names_no_listing_is_parked_and_one_with_either_name_is_not() -> None:
    nameless = AnOrder(lines=(ALine(variant=None, sku=" "),)).line()
    by_code = AnOrder(lines=(ALine(variant=None),)).line()
    by_variant = AnOrder(lines=(ALine(sku=None),)).line()

    assert nameless.parked == Problem("sku", "neither a variant nor a SKU")
    assert (by_code.parked, by_code.line_key, by_code.quantity) == (None, None, 2)
    assert (by_variant.parked, by_variant.code, by_variant.quantity) == (None, None, 2)


def test_one_usable_quantity_of_two_holds_the_units() -> None:
    order = AnOrder(lines=(ALine(quantity="two", current=1),))

    assert numbers(order) == (1, 0, 1, 1)
    assert numbers(order.with_(refunds=(ARefund(1),))) == (1, 0, 1, 1)
    assert [problem.reason for problem in order.state().problems] == [
        "one of two quantities is unusable: the other stands for both"
    ]


def test_more_units_than_ordered_are_held_and_told() -> None:
    order = AnOrder(lines=(ALine(quantity=1, current=2),))

    assert numbers(order) == (2, 0, 2, 2)
    assert order.state().problems[0].reason == "more units than were ordered"


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (AnOrder(currency="XXQ"), "currency"),
        (AnOrder(country="ZZ"), "ship_to.country"),
        (AnOrder(country=None), "ship_to.country"),
        (AnOrder(financial_status="BARTERED"), "financial_status"),
        (AnOrder(lines=(ALine(price="a lot"),)), "lines.gid://shopify/LineItem/866550311766439020.unit_price"),
    ],
)
def test_what_is_wrong_with_an_order_never_frees_its_units(order: AnOrder, field: str) -> None:
    state = order.state()

    assert [problem.field for problem in state.problems] == [field]
    assert state.lines[0].quantity == 2
    assert state.lines[0].taken_max == 2


@pytest.mark.parametrize("status", [5, ["paid"], {"a": 1}, ""])
def test_a_financial_status_of_the_wrong_kind_is_a_problem(status: object) -> None:
    polled = resolved(POLL_TOPIC, AnOrder().node() | {"displayFinancialStatus": status})
    delivered = resolved("orders/create", AnOrder().payload() | {"financial_status": status})

    assert order_in(polled).problems == order_in(delivered).problems == (Problem("financial_status", "unknown"),)


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("USD", "885.95", 88595),
        ("JPY", "1000.0", 1000),
        ("KWD", "1.234", 1234),
        ("EUR", "0.125", 12),
        ("USD", "1e3", 100000),
    ],
)
def test_money_is_minor_units_by_iso_exponent(currency: str, amount: str, minor: int) -> None:
    assert AnOrder(currency=currency, lines=(ALine(price=amount),)).line().unit_price == Money(minor, currency)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999999", "", "1,5", "1e-999999999999999999999"])
def test_an_amount_that_is_none_leaves_the_line_without_a_price(amount: str) -> None:
    line = AnOrder(lines=(ALine(price=amount),)).line()

    assert line.unit_price is None or line.unit_price.minor == 0
    assert line.quantity == 2


def test_a_test_order_says_so_and_holds_its_units() -> None:
    state = AnOrder(test=True).state()

    assert state.test
    assert state.lines[0].quantity == 2


def test_lines_come_in_one_order_however_they_were_listed() -> None:
    first, second = ALine(id=1), ALine(id=2)

    assert AnOrder(lines=(first, second)).state() == AnOrder(lines=(second, first)).state()


def test_an_order_without_an_address_is_no_problem_by_itself() -> None:
    state = AnOrder(shipped_to=False).state()

    assert (state.ship_to, state.problems) == (None, ())


@pytest.mark.parametrize(
    ("topic", "change", "field"),
    [
        (POLL_TOPIC, {"id": "gid://shopify/Product/1"}, "id"),
        (POLL_TOPIC, {"id": 5}, "id"),
        (POLL_TOPIC, {"updatedAt": "yesterday"}, "updated_at"),
        (POLL_TOPIC, {"updatedAt": "2026-11-22T10:00:00"}, "updated_at"),
        (POLL_TOPIC, {"updatedAt": None}, "updated_at"),
        (POLL_TOPIC, {"lineItems": None}, "lineItems"),
        ("orders/create", {"id": "5"}, "id"),
        ("orders/create", {"id": -5}, "id"),
        ("orders/create", {"updated_at": 5}, "updated_at"),
        ("orders/create", {"updated_at": "0001-01-01T00:00:00+23:59"}, "updated_at"),
        ("orders/create", {"line_items": {}}, "line_items"),
    ],
)
def test_an_order_that_cannot_be_put_in_sequence_is_malformed(
    topic: str, change: dict[str, object], field: str
) -> None:
    whole = AnOrder().node() if topic == POLL_TOPIC else AnOrder().payload()

    assert fault_in(resolved(topic, whole | change)) == field


def test_fields_of_the_wrong_kind_become_problems_beside_the_units() -> None:
    node = AnOrder().node() | {
        "createdAt": 5,
        "cancelledAt": "soon",
        "test": "no",
        "refunds": "none",
        "shippingAddress": "here",
    }
    payload = AnOrder().payload() | {
        "created_at": 5,
        "cancelled_at": "soon",
        "test": "no",
        "refunds": "none",
        "shipping_address": "here",
    }

    polled, delivered = order_in(resolved(POLL_TOPIC, node)), order_in(resolved("orders/updated", payload))

    assert polled == delivered
    assert [p.field for p in polled.problems] == ["cancelled_at", "placed_at", "refunds", "ship_to", "test"]
    assert polled.lines[0].quantity == 2
    assert polled.placed_at == polled.version_at


@pytest.mark.parametrize("line", [None, 5, [], {}, "line"])
def test_a_line_that_is_no_object_is_parked_and_the_others_stand(line: object) -> None:
    node = AnOrder().node() | {"lineItems": {"nodes": [ALine().node("USD"), line]}}
    payload = AnOrder().payload() | {"line_items": [ALine().payload(), line]}

    polled, delivered = order_in(resolved(POLL_TOPIC, node)), order_in(resolved("orders/updated", payload))

    assert polled == delivered
    assert sorted(found.quantity for found in polled.lines) == [0, 2]


def test_a_line_without_an_id_still_holds_its_units() -> None:
    node = AnOrder().node() | {"lineItems": {"nodes": [ALine().node("USD") | {"id": None}]}}
    payload = AnOrder().payload() | {"line_items": [ALine().payload() | {"id": None}]}

    polled, delivered = order_in(resolved(POLL_TOPIC, node)), order_in(resolved("orders/updated", payload))

    assert polled == delivered
    assert polled.lines[0].quantity == 2
    assert polled.problems[0].reason == "unreadable"


def test_a_payload_trimmed_of_its_lines_is_a_hint() -> None:
    payload = AnOrder().payload()
    del payload["line_items"]

    assert resolved("orders/updated", payload) == OrderHint(f"gid://shopify/Order/{ORDER_ID}")


# --- properties --------------------------------------------------------------------------------------------------


@st.composite
def lines(draw: st.DrawFn, line_id: int) -> tuple[ALine, list[ARefund]]:
    quantity = draw(st.integers(0, 9))
    current = draw(st.integers(0, quantity))
    shipped = draw(st.integers(0, quantity))
    kinds = st.sampled_from(("CANCEL", "RETURN", "NO_RESTOCK", "LEGACY_RESTOCK"))
    refund = st.builds(ARefund, st.integers(0, 9), kinds, st.just(line_id), st.sampled_from((None, 7001, 9)))
    return ALine(id=line_id, quantity=quantity, current=current, shipped=shipped), draw(st.lists(refund, max_size=3))


parcels = st.builds(
    AParcel,
    st.integers(0, 10**6).map(lambda s: LEFT_AT + timedelta(seconds=s)) | st.sampled_from((None, "soon", 5)),
    st.sampled_from(("SUCCESS", "CANCELLED", "ERROR", "FAILURE", "OPEN", "PENDING", None)),
)


@st.composite
def orders(draw: st.DrawFn) -> AnOrder:
    drawn = [draw(lines(line_id)) for line_id in range(1, draw(st.integers(1, 4)) + 1)]
    sent = any(line.shipped for line, _ in drawn)
    return AnOrder(
        parcels=(*((AParcel(),) if sent else ()), *draw(st.lists(parcels, max_size=3))),
        lines=tuple(line for line, _ in drawn),
        refunds=tuple(refund for _, refunds in drawn for refund in refunds),
        cancelled=draw(st.booleans()),
        test=draw(st.booleans()),
        currency=draw(st.sampled_from(("USD", "JPY", "KWD", "???"))),
    )


@given(orders())
def test_both_shapes_agree_and_stay_within_bounds(order: AnOrder) -> None:
    state = order.state()

    for line, built in zip(state.lines, sorted(order.lines, key=lambda line: line.id), strict=True):
        assert 0 <= line.fulfilled <= line.quantity <= built.quantity
        assert 0 <= line.taken_min <= line.taken_max <= built.quantity
        if order.cancelled:
            assert line.quantity == line.fulfilled
    if any(line.shipped for line in order.lines) and state.fulfilled_at is not None:
        assert state.fulfilled_at >= LEFT_AT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_no_field_of_an_order_can_make_resolving_fail(data: st.DataObject) -> None:
    whole, topic = data.draw(
        st.sampled_from(((AnOrder(refunds=(ARefund(),)).node(), POLL_TOPIC), (AnOrder().payload(), "orders/create")))
    )
    keys = data.draw(st.lists(st.sampled_from(sorted(whole)), min_size=1, max_size=3))

    resolved(topic, whole | {key: data.draw(json_values) for key in keys})


@given(st.data())
def test_no_field_of_a_line_can_free_the_units_of_another(data: st.DataObject) -> None:
    bad = ALine(id=2).node("USD")
    bad |= {key: data.draw(json_values) for key in data.draw(st.lists(st.sampled_from(sorted(bad)), min_size=1))}

    news = resolved(POLL_TOPIC, AnOrder().node() | {"lineItems": {"nodes": [bad, ALine(quantity=3).node("USD")]}})

    assert 3 in [line.quantity for line in order_in(news).lines]
    msgspec.json.encode(order_in(news))  # everything in it can be stored
