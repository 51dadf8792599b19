"""Orders at ShipBob: placed once, found again, watched, and called back only when ShipBob really says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from adapters.contract import AdapterError, Address, AuthExpired, OutcomeUnknown, Rejected, Transient
from adapters.shipbob import ShipbobWarehouse
from adapters.warehouse import Cancelled, ShipmentLine, ShipmentState, ShipmentStatus
from tests.unit.shipbob.doubles import (
    ANN,
    CHANNEL,
    LOCATION,
    Answer,
    Json,
    ScriptedAccount,
    a_shipment,
    an_order,
    ok,
    order_json,
    settings,
    shipped_product,
)
from tests.unit.shopify.doubles import NOW, FakeClock, SeededRng

PLACED = order_json(a_shipment("Processing", shipped_product("RED", (11, 1))))
ACCEPTED = ShipmentState("syncd-1", "55", ShipmentStatus.ACCEPTED, {})
DUPLICATE = ok({"errors": ["Order with this reference id already exists"]}, 422)
NONE: list[Json] = []


# --- submitting ----------------------------------------------------------------------------------------------------


async def test_an_order_is_placed_with_everything_shipbob_needs(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("POST order", ok(PLACED, 201))

    assert await warehouse.submit(an_order()) == ACCEPTED

    assert account.sent("POST order") == [
        {
            "reference_id": "syncd-1",
            "order_number": "#1001",
            "type": "DTC",
            "shipping_method": "Standard",
            "location_id": LOCATION,
            "purchase_date": "2026-11-22T12:00:00Z",
            "recipient": {
                "name": "Ann Roe",
                "address": {
                    "address1": "1 Main Street",
                    "address2": "Flat 2",
                    "city": "Springfield",
                    "state": "IL",
                    "zip_code": "62701",
                    "country": "US",
                },
            },
            "products": [{"reference_id": "RED", "name": "RED thing", "quantity": 1}],
        }
    ]
    (request,) = account.requests
    assert request.headers["shipbob_channel_id"] == str(CHANNEL)
    assert request.headers["Authorization"] == "Bearer pat-hush"


async def test_lines_of_the_same_sku_are_one_product(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("POST order", ok(PLACED, 201))

    await warehouse.submit(an_order("syncd-1", ("RED", 1), ("BLUE", 2), ("RED", 3)))

    (sent,) = account.sent("POST order")
    assert [(one["reference_id"], one["quantity"]) for one in sent["products"]] == [("RED", 4), ("BLUE", 2)]


@pytest.mark.parametrize(
    "refusal", [DUPLICATE, ok({"reference_id": ["x"]}, 422), ok({}, 409), ok({"reference_id": ["Duplicate"]}, 400)]
)
async def test_a_reference_that_is_known_answers_with_the_order_it_has(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, refusal: httpx.Response
) -> None:
    account.script("POST order", refusal)
    account.script("GET order", ok([PLACED]))

    assert await warehouse.submit(an_order()) == ACCEPTED

    (asked,) = account.asked("GET order")
    assert asked.url.params["ReferenceIds"] == "syncd-1"
    assert len(account.asked("POST order")) == 1


async def test_a_known_reference_whose_order_does_not_show_yet_is_an_unknown_outcome(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("POST order", DUPLICATE)
    account.script("GET order", ok(NONE))

    with pytest.raises(OutcomeUnknown):
        await warehouse.submit(an_order())


async def test_a_refusal_names_the_field(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("POST order", ok({"recipient.address.zip_code": ["is no US zip code", "is too short"]}, 422))
    account.script("GET order", ok(NONE))

    with pytest.raises(Rejected) as caught:
        await warehouse.submit(an_order())

    assert (caught.value.field, caught.value.reason) == (
        "recipient.address.zip_code",
        "is no US zip code; is too short",
    )


async def test_a_refusal_never_repeats_the_buyer(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    said = "ANN ROE of 1 Main Street, Flat 2, Springfield 62701 (US) is not Annual"
    account.script("POST order", ok({"errors": [said]}, 422))
    account.script("GET order", ok(NONE))

    with pytest.raises(Rejected) as caught:
        await warehouse.submit(an_order())

    assert caught.value.reason == "[...] of [...], [...], [...] [...] (US) is not Annual"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ReadTimeout("x"), OutcomeUnknown),
        (httpx.RemoteProtocolError("x"), OutcomeUnknown),
        (httpx.Response(500), OutcomeUnknown),
        (httpx.Response(503, text="<html>"), OutcomeUnknown),
        (httpx.Response(201, content=b'{"id": 5'), OutcomeUnknown),
        (ok({"id": "five"}, 201), OutcomeUnknown),
        (ok({**PLACED, "reference_id": "syncd-2"}, 201), OutcomeUnknown),
        (httpx.ConnectError("x"), Transient),
        (httpx.Response(401), AuthExpired),
        (httpx.Response(403), AuthExpired),
    ],
)
async def test_what_became_of_an_order_is_never_guessed(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, answer: Answer, error: type[AdapterError]
) -> None:
    account.script("POST order", answer)

    with pytest.raises(error) as caught:
        await warehouse.submit(an_order())

    assert type(caught.value) is error
    assert len(account.asked("POST order")) == (4 if error is Transient else 1)


@pytest.mark.parametrize(
    ("ship_to", "field"),
    [
        (replace(ANN, name=" "), "recipient.name"),
        (replace(ANN, lines=("  ",)), "recipient.address.address1"),
        (replace(ANN, city=None), "recipient.address.city"),
        (replace(ANN, country=None), "recipient.address.country"),
        (Address(), "recipient.name"),
    ],
)
async def test_an_address_that_cannot_be_shipped_to_is_refused_before_sending(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, ship_to: Address, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        await warehouse.submit(an_order(ship_to=ship_to))

    assert (caught.value.field, account.requests) == (field, [])


@pytest.mark.parametrize(
    ("lines", "field"),
    [((), "products"), ((ShipmentLine("a", "RED", 1), ShipmentLine("b", "RED", 0)), "products.quantity")],
)
async def test_an_order_of_nothing_is_refused_before_sending(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, lines: tuple[ShipmentLine, ...], field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        await warehouse.submit(replace(an_order(), lines=lines))

    assert (caught.value.field, account.requests) == (field, [])


@pytest.mark.parametrize("reference", ["", "a,b", "a b", "é", "x" * 301, "a\n"])
async def test_a_reference_of_another_kind_is_never_sent(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, reference: str
) -> None:
    with pytest.raises(Rejected, match="reference_id"):
        await warehouse.submit(an_order(reference))
    with pytest.raises(Rejected, match="reference_id"):
        await warehouse.find(reference)

    assert account.requests == []


# --- finding -------------------------------------------------------------------------------------------------------


async def test_an_unknown_reference_has_no_order(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET order", ok(NONE))

    assert await warehouse.find("syncd-1") is None


@pytest.mark.parametrize(
    "other",
    [
        {**PLACED, "reference_id": "syncd-11"},
        {**PLACED, "reference_id": "SYNCD-1"},
        {**PLACED, "channel": {"id": CHANNEL + 1}},
        {**PLACED, "reference_id": None},
        {"id": None, "reference_id": "syncd-1"},
        "syncd-1",
    ],
)
async def test_only_the_order_of_exactly_that_reference_in_our_channel_is_found(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, other: object
) -> None:
    account.script("GET order", ok([other]))

    assert await warehouse.find("syncd-1") is None


async def test_of_several_orders_the_one_that_is_not_cancelled_is_found(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    gone = order_json(a_shipment("Cancelled"), id=56, status="Cancelled")
    account.script("GET order", ok([gone, PLACED]), ok([gone]))

    found, after = await warehouse.find("syncd-1"), await warehouse.find("syncd-1")

    assert found == ACCEPTED
    assert after is not None
    assert (after.warehouse_shipment_id, after.status) == ("56", ShipmentStatus.CANCELLED)


# --- polling -------------------------------------------------------------------------------------------------------


async def polled(warehouse: ShipbobWarehouse) -> list[Sequence[ShipmentState]]:
    return [page async for page in warehouse.poll_shipments(NOW + timedelta(milliseconds=500))]


async def test_polling_reads_pages_until_there_is_none(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    second = {**PLACED, "id": 56, "reference_id": "syncd-2"}
    account.script("GET order", ok([PLACED]), ok([second]), ok(NONE))

    pages = await polled(warehouse)

    assert [[state.reference for state in page] for page in pages] == [["syncd-1"], ["syncd-2"]]
    assert [dict(request.url.params) for request in account.requests] == [
        {"LastUpdateStartDate": "2026-11-22T11:59:59Z", "SortOrder": "Oldest", "Limit": "250", "Page": page}
        for page in ("1", "2", "3")
    ]


async def test_orders_of_others_are_passed_over(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    others = [
        {**PLACED, "channel": {"id": 1}},
        {**PLACED, "reference_id": None},
        {**PLACED, "reference_id": "Shop order #7"},
        {"reference_id": "syncd-9"},
        None,
    ]
    account.script("GET order", ok([*others, PLACED]), ok(NONE))

    assert await polled(warehouse) == [[ACCEPTED]]


async def test_a_vendor_that_repeats_its_page_is_no_complete_poll(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("GET order", ok([PLACED]))

    with pytest.raises(Transient, match="does not advance"):
        await polled(warehouse)


async def test_a_poll_that_fails_half_way_is_no_complete_poll(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("GET order", ok([PLACED]), httpx.Response(503))

    with pytest.raises(Transient):
        await polled(warehouse)


# --- cancelling ----------------------------------------------------------------------------------------------------

CANCEL = "POST order/55:cancel"


def result(shipment_id: int = 71, **more: object) -> Json:
    return {"shipment_id": shipment_id, "action": "Cancel", "is_success": True, "reason": None, **more}


def cancelled(*results: Json, status: str = "Success", order: Json | None = None) -> httpx.Response:
    body = {"order_id": 55, "status": status, "canceled_shipment_results": list(results), "order": order or PLACED}
    return ok(body)


async def test_a_cancellation_is_done_when_every_shipment_says_so(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(CANCEL, cancelled(result(71), result(72)))

    assert await warehouse.cancel("55") == Cancelled(True)

    assert account.asked(CANCEL)[0].content == b""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            cancelled(result(is_success=False, reason="Too late"), status="Failure"),
            "1 of 1 shipments not cancelled: Too late",
        ),
        (
            cancelled(result(), result(72, is_success=False, reason="Too late"), status="PartialSuccess"),
            "1 of 2 shipments not cancelled: Too late",
        ),
        (cancelled(result(is_success=False)), "1 of 1 shipments not cancelled: no reason given"),
        (cancelled(result(is_success="true")), "1 of 1 shipments not cancelled: no reason given"),
        (cancelled(result(action="MoveToOnHoldAndKeepInventory")), "1 of 1 shipments not cancelled: no reason given"),
        (cancelled(result(), status="PartialSuccess"), "the cancellation is a PartialSuccess"),
        (cancelled(), "ShipBob names no shipment that it cancelled"),
        (ok({}), "ShipBob names no shipment that it cancelled"),
        (
            cancelled(result(), order=order_json(a_shipment("Completed", shipped_product("RED", (11, 1))))),
            "a part of the order has left already",
        ),
        (ok({"errors": ["not in a cancellable state"]}, 422), "not in a cancellable state"),
    ],
)
async def test_anything_less_is_not_done_and_says_why(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, answer: httpx.Response, reason: str
) -> None:
    account.script(CANCEL, answer)
    account.script("GET order/55", ok(PLACED))

    assert await warehouse.cancel("55") == Cancelled(False, reason)


async def test_an_order_without_shipments_is_cancelled_when_it_says_so(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(CANCEL, cancelled(order=order_json(status="Cancelled")))

    assert await warehouse.cancel("55") == Cancelled(True)


async def test_an_order_that_was_cancelled_before_is_cancelled(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(CANCEL, ok({"orderId": ["has been cancelled before"]}, 422))
    account.script("GET order/55", ok(order_json(a_shipment("Cancelled"), status="Cancelled")))

    assert await warehouse.cancel("55") == Cancelled(True)


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("x"), httpx.Response(500), httpx.Response(200, content=b"{")])
async def test_a_cancellation_without_a_trustworthy_answer_is_unknown_and_not_repeated(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, answer: Answer
) -> None:
    account.script(CANCEL, answer)

    with pytest.raises(OutcomeUnknown):
        await warehouse.cancel("55")

    assert len(account.requests) == 1


async def test_cancelling_what_shipbob_does_not_have_is_refused(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script(CANCEL, httpx.Response(404))

    with pytest.raises(Rejected, match="no such order"):
        await warehouse.cancel("55")


@pytest.mark.parametrize("shipment_id", ["", "5/../6", "syncd-1", "٥"])
async def test_an_id_of_another_kind_is_never_sent(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, shipment_id: str
) -> None:
    with pytest.raises(Rejected, match="warehouse_shipment_id"):
        await warehouse.cancel(shipment_id)

    assert account.requests == []


async def test_without_a_location_shipbob_chooses_one(account: ScriptedAccount, clock: FakeClock) -> None:
    warehouse = ShipbobWarehouse(settings(location_id=None), clock, SeededRng(), account.transport)
    account.script("POST order", ok(PLACED, 201))

    await warehouse.submit(an_order())

    assert account.sent("POST order")[0]["location_id"] is None
    await warehouse.close()
