"""The control face: what it takes, what it refuses, what it reports."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.shopify_sandbox.kit import App


async def test_items_are_added_one_or_many_at_a_time(app: App) -> None:
    one = await app.control("items", sku="A", title="Clock A", barcode="4006381333931", quantity=3, policy="continue")
    many = await app.http.post("/_control/items", json=[{"sku": "B", "tracked": False}, {"sku": "C", "price": "19.90"}])
    named = await app.control("items", items=[{"sku": "D"}])

    levels = {level["sku"]: level for level in (await app.truth())["levels"]}
    assert [item["sku"] for item in one["items"] + many.json()["items"] + named["items"]] == ["A", "B", "C", "D"]
    assert levels["A"]["available"] == 3
    assert levels["A"]["inventory_item_id"] == one["items"][0]["inventory_item_id"]


async def test_the_truth_names_every_order_line_and_level(app: App) -> None:
    first = await app.buy("RED-CLOCK", 3)
    second = await app.buy("BLUE-CLOCK", 1)
    await app.control(f"orders/{first}/refund", sku="RED-CLOCK", quantity=1, restock_type="cancel")
    await app.control(f"orders/{second}/cancel")

    truth = await app.truth()

    assert truth["orders_accepted"] == 2
    assert [(one["id"], one["name"], one["cancelled"]) for one in truth["orders"]] == [
        (first, "#1001", False),
        (second, "#1002", True),
    ]
    (line,) = truth["orders"][0]["lines"]
    assert (line["sku"], line["quantity"], line["current_quantity"], line["fulfilled"]) == ("RED-CLOCK", 3, 2, 0)
    assert truth["orders"][0]["created_at"] == "2026-11-22T12:00:00Z"
    assert [(one["sku"], one["available"], one["on_hand"], one["committed"]) for one in truth["levels"]] == [
        ("RED-CLOCK", 8, 10, 2),
        ("BLUE-CLOCK", 5, 5, 0),
    ]
    assert truth["deliveries_pending"] == 0


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("items", {"title": "no sku"}, "sku"),
        ("items", {"sku": "RED-CLOCK"}, "sku"),
        ("items", {"sku": "A", "quantity": "3"}, "quantity"),
        ("items", {"sku": "A", "policy": "maybe"}, "policy"),
        ("items", {"sku": "A", "price": "cheap"}, "price"),
        ("items", {"sku": "A", "colour": "red"}, "colour"),
        ("items", [{"title": "no sku"}], "[0].sku"),
        ("items", {"items": [{"sku": "A"}, {"sku": "B", "quantity": "3"}]}, "items[1].quantity"),
        ("items", {"items": []}, "items"),
        ("orders", {}, "lines"),
        ("orders", {"lines": [{"sku": "RED-CLOCK", "quantity": 0}]}, "lines[0].quantity"),
        ("orders", {"lines": [{"sku": "GREEN-CLOCK", "quantity": 1}]}, "lines[0].sku"),
        (
            "orders",
            {"lines": [{"sku": "RED-CLOCK", "quantity": 1}], "ship_to": {"country": "XX"}},
            "ship_to.country",
        ),
        ("levels", {"sku": "RED-CLOCK", "available": 1.5}, "available"),
        ("levels", {"sku": "RED-CLOCK", "available": 1, "location": "Moon"}, "location"),
        ("faults", {"server_error": 2}, "server_error"),
        ("faults", {"next": [{"fault": "earthquake"}]}, "next[0].fault"),
        ("faults", {"gremlins": 0.5}, "gremlins"),
        ("webhooks", {"topic": "orders/create", "uri": "ftp://x"}, "uri"),
        ("webhooks", {"topic": "orders/eaten", "uri": "https://x"}, "topic"),
    ],
)
async def test_bad_input_is_answered_with_field_and_remedy(app: App, path: str, body: Any, field: str) -> None:
    answer = await app.http.post(f"/_control/{path}", json=body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["field"] == field
    assert error["problem"]
    assert error["remedy"]


@pytest.mark.parametrize("body", [b"{", b"7", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(app: App, body: bytes) -> None:
    answer = await app.http.post("/_control/orders", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "body"


@pytest.mark.parametrize("action", ["cancel", "edit", "refund", "fulfil"])
async def test_an_order_that_does_not_exist_is_not_found(app: App, action: str) -> None:
    answer = await app.http.post(f"/_control/orders/12/{action}", json={"sku": "RED-CLOCK", "quantity": 1})

    assert answer.status_code == 404
    assert answer.json()["error"]["field"] == "id"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("cancel", {}),
        ("edit", {"sku": "RED-CLOCK", "quantity": 1}),
        ("fulfil", {}),
    ],
)
async def test_a_cancelled_order_stays_as_it_is(app: App, action: str, body: dict[str, Any]) -> None:
    order = await app.buy("RED-CLOCK", 2)
    await app.control(f"orders/{order}/cancel")

    answer = await app.http.post(f"/_control/orders/{order}/{action}", json=body)

    assert answer.status_code == 409
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)


async def test_more_than_was_ordered_cannot_ship(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)

    answer = await app.http.post(
        f"/_control/orders/{order}/fulfil", json={"lines": [{"sku": "RED-CLOCK", "quantity": 1}] * 3}
    )

    assert answer.status_code == 409
    assert await app.numbers("RED-CLOCK") == (8, 2, 10)


async def test_subscriptions_and_faults_can_be_read(app: App) -> None:
    await app.subscribe("orders/create")

    hooks = (await app.http.get("/_control/webhooks")).json()["webhooks"]
    faults = (await app.http.get("/_control/faults")).json()

    assert [one["topic"] for one in hooks] == ["orders/create"]
    assert (faults["down"], faults["next"], faults["lost_reply"]) == (False, [], 0.0)
