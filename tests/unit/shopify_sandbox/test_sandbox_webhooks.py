"""What news for subscribers says, and how it is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import OrderNews, OrderState, RawEvent
from adapters.shopify.operations import ORDERS_BY_ID
from adapters.shopify.order_reader import raw_event
from adapters.shopify.sandbox import ItemSeed
from adapters.shopify.sandbox.deliveries import sign
from adapters.shopify.webhook import resolve
from tests.unit.shopify_sandbox.kit import HOOK, App, Opened, a_seed


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (
            '{"id":820982911946154508,"admin_graphql_api_id":"gid:\\/\\/shopify\\/Order\\/820982911946154508",'
            '"note":"café ☃"}',
            "OGSG8YmAoA4juwSHhTetobktrqKsFy4KwAi8tJh5Mpc=",
        ),
        (
            '{"inventory_item_id":271878346596884015,"location_id":24826418,"available":10,'
            '"updated_at":"2026-11-22T00:00:00Z",'
            '"admin_graphql_api_id":"gid://shopify/InventoryLevel/24826418?inventory_item_id=271878346596884015"}',
            "Bb95VH9U2D5G/CtbOk/BmE1Zdo5MzkgD1AmToiQ/G5o=",
        ),
    ],
)
def test_the_signature_is_the_one_that_the_vendors_own_library_accepts(body: str, signature: str) -> None:
    assert sign("hush-hush-syncd-test-secret", body.encode()) == signature


async def test_an_order_is_announced_with_signed_bytes(app: App) -> None:
    await app.subscribe("orders/create")
    order = await app.buy("RED-CLOCK", 2)
    before = list(app.mail.got)

    await app.clock.advance(8)

    (request,) = app.mail.got
    assert before == []
    assert str(request.url) == HOOK
    assert request.headers["X-Shopify-Topic"] == "orders/create"
    assert request.headers["X-Shopify-Shop-Domain"] == "red-clock.myshopify.com"
    assert request.headers["X-Shopify-API-Version"] == "2026-10"
    assert request.headers["X-Shopify-Triggered-At"] == "2026-11-22T12:00:00.250000Z"
    assert request.headers["X-Shopify-Hmac-Sha256"] == sign("sandbox-client-secret", request.content)
    (body,) = app.mail.bodies("orders/create")
    assert body["id"] == int(order) > 2**53
    assert body["admin_graphql_api_id"] == f"gid://shopify/Order/{order}"
    assert body["created_at"] == "2026-11-22T13:00:00+01:00"
    (line,) = body["line_items"]
    assert (line["sku"], line["quantity"], line["current_quantity"], line["fulfillable_quantity"]) == (
        "RED-CLOCK",
        2,
        2,
        2,
    )
    assert isinstance(line["variant_id"], int)


async def test_one_action_shares_an_event_id_among_all_its_news(app: App) -> None:
    await app.subscribe("orders/create", "orders/updated", "inventory_levels/update")

    await app.buy("RED-CLOCK")
    await app.clock.advance(8)

    assert sorted(app.mail.topics()) == ["inventory_levels/update", "orders/create", "orders/updated"]
    assert len({one.headers["X-Shopify-Event-Id"] for one in app.mail.got}) == 1
    assert len({one.headers["X-Shopify-Webhook-Id"] for one in app.mail.got}) == 3


async def test_a_level_is_announced_after_a_sale_an_edit_by_hand_and_our_own_write(app: App) -> None:
    await app.subscribe("inventory_levels/update")
    level = await app.level("RED-CLOCK")

    await app.buy("RED-CLOCK")
    await app.clock.advance(8)
    await app.control("levels", sku="RED-CLOCK", available=7)
    await app.clock.advance(8)
    await app.set(await app.row("RED-CLOCK", 4, change_from=7))
    await app.clock.advance(8)

    bodies = app.mail.bodies("inventory_levels/update")
    assert [one["available"] for one in bodies] == [9, 7, 4]
    assert bodies[0]["inventory_item_id"] == int(level["inventory_item_id"])
    assert bodies[0]["location_id"] == int(level["location_id"])
    assert bodies[0]["admin_graphql_api_id"].startswith("gid://shopify/InventoryLevel/")


async def test_a_refused_write_is_not_announced(app: App) -> None:
    await app.subscribe("inventory_levels/update")

    await app.set(await app.row("RED-CLOCK", 4, change_from=7))
    await app.set(await app.row("RED-CLOCK", 10, change_from=10), key="no-op")
    await app.clock.advance(8)

    assert app.mail.got == []


async def test_an_untracked_item_shows_no_number(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("GUIDE", tracked=False),)))
    await app.subscribe("inventory_levels/update")

    await app.control("levels", sku="GUIDE", available=3)
    await app.clock.advance(8)

    assert [one["available"] for one in app.mail.bodies("inventory_levels/update")] == [None]


async def test_a_refund_names_its_lines_and_what_became_of_them(app: App) -> None:
    await app.subscribe("refunds/create", "orders/updated")
    order = await app.buy("RED-CLOCK", 3)
    await app.clock.advance(8)

    await app.control(f"orders/{order}/refund", sku="RED-CLOCK", quantity=2, restock_type="cancel")
    await app.clock.advance(8)

    (refund,) = app.mail.bodies("refunds/create")
    (part,) = refund["refund_line_items"]
    updated = app.mail.bodies("orders/updated")[-1]
    assert refund["order_id"] == int(order)
    assert (part["quantity"], part["restock_type"]) == (2, "cancel")
    assert part["line_item_id"] == updated["line_items"][0]["id"]
    assert updated["refunds"][0]["refund_line_items"][0]["quantity"] == 2
    assert updated["line_items"][0]["current_quantity"] == 1


async def test_a_cancellation_and_a_shipment_are_announced(app: App) -> None:
    await app.subscribe("orders/cancelled", "orders/fulfilled")
    lost, kept = await app.buy("RED-CLOCK"), await app.buy("BLUE-CLOCK")

    await app.control(f"orders/{lost}/cancel", restock=True)
    await app.control(f"orders/{kept}/fulfil")
    await app.clock.advance(8)

    (cancelled,) = app.mail.bodies("orders/cancelled")
    (fulfilled,) = app.mail.bodies("orders/fulfilled")
    assert (cancelled["cancel_reason"], cancelled["cancelled_at"]) == ("customer", "2026-11-22T13:00:00+01:00")
    assert fulfilled["fulfillment_status"] == "fulfilled"
    (parcel,) = fulfilled["fulfillments"]
    assert parcel["line_items"][0]["sku"] == "BLUE-CLOCK"
    assert (parcel["status"], parcel["created_at"]) == ("success", "2026-11-22T13:00:00+01:00")


async def test_news_of_an_order_says_the_same_as_reading_it(app: App) -> None:
    await app.subscribe("orders/updated")
    order = (await app.control("orders", lines=[_line("RED-CLOCK", 3), _line("BLUE-CLOCK", 1)]))["id"]
    states = [await _both_ways(app, order)]
    for shipped in ([_line("RED-CLOCK", 1)], [_line("BLUE-CLOCK", 1)], [_line("RED-CLOCK", 2)]):
        await app.clock.advance(60)
        await app.control(f"orders/{order}/fulfil", lines=shipped)
        states.append(await _both_ways(app, order))
    await app.control(f"orders/{order}/refund", sku="RED-CLOCK", quantity=1, restock_type="return")
    states.append(await _both_ways(app, order))

    assert [state.fulfilled_at for state in states] == [
        None,
        datetime(2026, 11, 22, 12, 1, 8, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 2, 16, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 3, 24, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 3, 24, tzinfo=UTC),
    ]
    assert [sum(line.fulfilled for line in state.lines) for state in states] == [0, 1, 2, 4, 3]


def _line(sku: str, quantity: int) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity}


async def _both_ways(app: App, order: str) -> OrderState:
    """The order as the adapter reads it, having checked that its latest news says the same."""
    await app.clock.advance(8)
    location = (await app.level("RED-CLOCK"))["location"]
    (node,) = (await app.data(ORDERS_BY_ID.document, ids=[f"gid://shopify/Order/{order}"]))["nodes"]
    polled = resolve(raw_event(node), location)
    delivered = resolve(RawEvent("news", "orders/updated", app.mail.got[-1].content), location)
    assert isinstance(polled, OrderNews)
    assert polled == delivered
    return polled.order


async def test_an_edit_lists_what_was_added_and_removed(app: App) -> None:
    await app.subscribe("orders/edited")
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=1, restock=False)
    await app.clock.advance(8)

    ((edit),) = (one["order_edit"] for one in app.mail.bodies("orders/edited"))
    assert edit["order_id"] == int(order)
    assert [one["delta"] for one in edit["line_items"]["removals"]] == [2]
    assert edit["line_items"]["additions"] == []
