"""The control face: what it takes, what it refuses, and what it reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
import pytest

from adapters.amazon.sandbox import FaultMix, SellerSeed
from tests.contract.amazon_sandbox.kit import Account, Opened, a_seed


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("orders", {}, "lines"),
        ("orders", {"lines": []}, "lines"),
        ("orders", {"lines": [{"sku": "GREEN", "quantity": 1}]}, "lines[0].sku"),
        ("orders", {"lines": [{"sku": "RED-CLOCK", "quantity": 0}]}, "lines[0].quantity"),
        ("orders", {"lines": [{"sku": "RED-CLOCK", "quantity": 1}], "unpaid": "yes"}, "unpaid"),
        ("orders", {"lines": [{"sku": "RED-CLOCK", "quantity": 1}], "colour": 1}, "colour"),
        (
            "orders",
            {"lines": [{"sku": "RED-CLOCK", "quantity": 1}], "ship_to": {"country": "Utopia"}},
            "ship_to.country",
        ),
        ("levels", {"sku": "RED-CLOCK"}, "available"),
        ("levels", {"sku": "RED-CLOCK", "available": -1}, "available"),
        ("levels", {"sku": "FBA-CLOCK", "available": 1}, "sku"),
        ("fba", {"sku": "RED-CLOCK"}, "fulfillable"),
        ("items", {"items": [{"sku": "RED-CLOCK"}]}, "items[0].sku"),
        ("items", {"items": [{"title": "no sku"}]}, "items[0].sku"),
        ("faults", {"lost_reply": 2}, "lost_reply"),
        ("faults", {"next": [{"fault": "fire"}]}, "next[0].fault"),
    ],
)
async def test_wrong_input_is_told_with_a_remedy(account: Account, path: str, body: Any, field: str) -> None:
    answer = await account.http.post(f"/_control/{path}", json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (400, field)
    assert error["problem"]
    assert error["remedy"]


async def test_an_unknown_order_is_missing(account: Account) -> None:
    answer = await account.http.post("/_control/orders/111-0000000-0000000/cancel", json={})

    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "id")


async def test_items_are_added_by_the_merchant_for_fba_or_both(account: Account) -> None:
    await account.control(
        "items",
        items=[
            {"sku": "A", "title": "A thing", "quantity": 3, "gtin": "4006381333931"},
            {"sku": "B", "quantity": None, "fba_quantity": 4},
            {"sku": "C", "quantity": 5, "fba_quantity": 6},
        ],
    )

    truth = await account.truth()
    assert {one["sku"]: one["available"] for one in truth["levels"] if one["sku"] in "ABC"} == {"A": 3, "C": 5}
    assert {one["sku"]: one["fulfillable"] for one in truth["fba"] if one["sku"] in "ABC"} == {"B": 4, "C": 6}


async def test_the_truth_names_every_number_as_the_contract_does(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 4, unpaid=True)
    await account.control(f"orders/{order_id}/edit", sku="RED-CLOCK", quantity=3)

    truth = await account.truth()

    (order,) = truth["orders"]
    (line,) = order["lines"]
    assert truth["orders_accepted"] == 1
    assert (order["id"], order["name"], order["paid"], order["cancelled"]) == (order_id, order_id, False, False)
    assert {key: line[key] for key in ("sku", "quantity", "current_quantity", "fulfilled", "by_channel")} == {
        "sku": "RED-CLOCK",
        "quantity": 4,
        "current_quantity": 3,
        "fulfilled": 0,
        "by_channel": False,
    }
    assert truth["levels"][0] == {
        "sku": "RED-CLOCK",
        "channel_sku": "RED-CLOCK",
        "channel_location": "DEFAULT",
        "available": 7,
    }
    assert truth["fba"][0] == {"sku": "BLUE-CLOCK", "fulfillable": 8, "unfulfillable": 0}


async def test_fba_may_come_to_know_a_merchants_sku(account: Account) -> None:
    await account.control("fba", sku="RED-CLOCK", fulfillable=3)

    shown = (await account.listing("RED-CLOCK"))["fulfillmentAvailability"]
    assert [one["fulfillmentChannelCode"] for one in shown] == ["DEFAULT", "AMAZON_NA"]
    assert await account.at_fba("RED-CLOCK") == 3


async def test_the_control_face_answers_while_everything_else_fails(account: Account) -> None:
    await account.control("faults", down_s=600, timeout=0.5, server_error=0.5)

    assert (await account.truth())["orders_accepted"] == 0


async def test_one_seed_and_one_rng_make_one_history(opened: Opened) -> None:
    histories = []
    for _ in range(2):
        account = await opened.account(a_seed(faults=FaultMix()), rng=11)
        for _ in range(5):
            await account.buy("RED-CLOCK")
            await account.clock.advance(5)
        histories.append(await account.truth())

    assert histories[0] == histories[1]


def test_a_seed_is_read_from_plain_json() -> None:
    seed = a_seed(visibility_lag_s=0.0)

    plain = msgspec.json.decode(msgspec.json.encode(asdict(seed)))

    assert msgspec.convert(plain, SellerSeed) == seed
