"""Orders: what they do to the stock, and how a search finds them."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest

from adapters.shopify.sandbox import ItemSeed, LocationSeed, Policy
from adapters.shopify.sandbox.order_index import OrderIndex
from tests.unit.shopify_sandbox.kit import NOON, ORDERS, App, Opened, a_seed

ORDER = """query One($ids: [ID!]!) { nodes(ids: $ids) { ... on Order {
  id name createdAt updatedAt cancelledAt cancelReason edited test displayFinancialStatus displayFulfillmentStatus
  currencyCode shippingAddress { name zip countryCodeV2 }
  lineItems(first: 20) { nodes {
    id sku quantity currentQuantity unfulfilledQuantity nonFulfillableQuantity refundableQuantity requiresShipping
    originalUnitPriceSet { shopMoney { amount currencyCode } } variant { id inventoryItem { id tracked } }
  } }
  refunds(first: 5) { id createdAt refundLineItems(first: 5) { nodes {
    quantity restockType restocked location { id } lineItem { id }
  } } }
} } }"""


async def read(app: App, order: str) -> Any:
    return (await app.data(ORDER, ids=[f"gid://shopify/Order/{order}"]))["nodes"][0]


async def names(app: App, query: str | None = None) -> list[str]:
    found = await app.data(ORDERS, first=250, query=query)
    return [one["name"] for one in found["orders"]["nodes"]]


# --- stock -----------------------------------------------------------------------------------------------------------


async def test_a_sale_moves_units_from_available_to_committed(app: App) -> None:
    await app.buy("RED-CLOCK", 4)

    assert await app.numbers("RED-CLOCK") == (6, 4, 10)


async def test_an_order_shows_its_lines_prices_and_address(app: App) -> None:
    address = {"name": "Ada Lovelace", "address1": "Deichstr. 1", "zip": "20459", "country": "de"}
    made = await app.control(
        "orders",
        lines=[{"sku": "RED-CLOCK", "quantity": 2}, {"title": "Gift wrap", "quantity": 1, "price": "2.50"}],
        ship_to=address,
        note="ring twice",
    )

    order = await read(app, made["id"])

    clock, wrap = order["lineItems"]["nodes"]
    assert order["name"] == made["name"] == "#1001"
    assert order["currencyCode"] == "EUR"
    assert order["shippingAddress"] == {"name": "Ada Lovelace", "zip": "20459", "countryCodeV2": "DE"}
    assert (clock["sku"], clock["quantity"], clock["currentQuantity"], clock["unfulfilledQuantity"]) == (
        "RED-CLOCK",
        2,
        2,
        2,
    )
    assert clock["originalUnitPriceSet"] == {"shopMoney": {"amount": "10.00", "currencyCode": "EUR"}}
    assert (wrap["sku"], wrap["variant"]) == (None, None)


async def test_a_shop_that_denies_does_not_sell_what_it_does_not_have(app: App) -> None:
    lines = [{"sku": "BLUE-CLOCK", "quantity": 3}, {"sku": "BLUE-CLOCK", "quantity": 3}]

    answer = await app.http.post("/_control/orders", json={"lines": lines})

    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "field": "lines[1].quantity",
        "problem": "5 of BLUE-CLOCK for sale, 6 wanted",
        "remedy": "order fewer, or put more on sale",
        "sku": "BLUE-CLOCK",
        "available": 5,
    }
    assert await app.numbers("BLUE-CLOCK") == (5, 0, 5)
    assert (await app.truth())["orders_accepted"] == 0


async def test_a_shop_that_continues_sells_below_zero(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("ENDLESS", quantity=1, policy=Policy.CONTINUE),)))

    await app.buy("ENDLESS", 3)

    assert await app.numbers("ENDLESS") == (-2, 3, 1)


async def test_an_untracked_item_sells_for_ever_and_moves_nothing(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("GUIDE", tracked=False),)))

    order = await app.buy("GUIDE", 3)
    await app.control(f"orders/{order}/fulfil")

    assert await app.numbers("GUIDE") == (0, 0, 0)


async def test_a_sale_empties_one_location_after_the_other(opened: Opened) -> None:
    places = (LocationSeed("Here"), LocationSeed("Closed", active=False), LocationSeed("There"))
    item = ItemSeed("RED-CLOCK", quantity=2, elsewhere={"There": 5, "Closed": 9})
    app = await opened.app(a_seed(locations=places, items=(item,)))

    await app.buy("RED-CLOCK", 4)

    levels = [(one["available"], one["committed"]) for one in (await app.truth())["levels"]]
    assert levels == [(0, 2), (9, 0), (3, 2)]


@pytest.mark.parametrize(
    ("restock", "expected", "kind"), [(True, (10, 0, 10), "CANCEL"), (False, (8, 0, 8), "NO_RESTOCK")]
)
async def test_a_cancelled_order_gives_back_only_with_restock(
    app: App, restock: bool, expected: tuple[int, int, int], kind: str
) -> None:
    order = await app.buy("RED-CLOCK", 2)

    await app.control(f"orders/{order}/cancel", restock=restock)

    shown = await read(app, order)
    (refund,) = shown["refunds"]
    assert await app.numbers("RED-CLOCK") == expected
    assert shown["cancelledAt"] is not None
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 0
    assert [(one["quantity"], one["restockType"]) for one in refund["refundLineItems"]["nodes"]] == [(2, kind)]


async def test_a_cancellation_may_leave_open_what_became_of_the_units(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)

    await app.control(f"orders/{order}/cancel", restock=True, record_refund=False)

    shown = await read(app, order)
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)
    assert shown["refunds"] == []
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 2


async def test_what_has_shipped_cannot_be_cancelled(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)
    await app.control(f"orders/{order}/fulfil", lines=[{"sku": "RED-CLOCK", "quantity": 1}])

    answer = await app.http.post(f"/_control/orders/{order}/cancel", json={})

    assert answer.status_code == 409
    assert "outstanding fulfillments" in answer.json()["error"]["problem"]


async def test_fulfilment_takes_committed_units_out_of_the_building(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/fulfil", lines=[{"sku": "RED-CLOCK", "quantity": 1}])
    partly = await read(app, order)
    await app.control(f"orders/{order}/fulfil")
    wholly = await read(app, order)

    assert partly["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert partly["lineItems"]["nodes"][0]["unfulfilledQuantity"] == 2
    assert wholly["displayFulfillmentStatus"] == "FULFILLED"
    assert await app.numbers("RED-CLOCK") == (7, 0, 7)


@pytest.mark.parametrize(
    ("kind", "shipped", "expected"),
    [
        ("cancel", False, (8, 2, 10)),
        ("no_restock", False, (7, 2, 9)),
        ("return", True, (8, 0, 8)),
        ("no_restock", True, (7, 0, 7)),
    ],
)
async def test_a_refund_gives_back_according_to_its_restock_type(
    app: App, kind: str, shipped: bool, expected: tuple[int, int, int]
) -> None:
    order = await app.buy("RED-CLOCK", 3)
    if shipped:
        await app.control(f"orders/{order}/fulfil")

    await app.control(f"orders/{order}/refund", sku="RED-CLOCK", quantity=1, restock_type=kind)

    line = (await read(app, order))["lineItems"]["nodes"][0]
    assert await app.numbers("RED-CLOCK") == expected
    assert (line["quantity"], line["currentQuantity"]) == (3, 2)


async def test_only_shipped_units_can_be_returned(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    answer = await app.http.post(
        f"/_control/orders/{order}/refund", json={"sku": "RED-CLOCK", "quantity": 1, "restock_type": "return"}
    )

    assert answer.status_code == 409


async def test_an_edit_takes_units_off_without_saying_where_they_went(app: App) -> None:
    order = await app.buy("RED-CLOCK", 3)

    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=1, restock=True)

    shown = await read(app, order)
    assert shown["edited"] is True
    assert shown["refunds"] == []
    assert shown["lineItems"]["nodes"][0]["currentQuantity"] == 1
    assert await app.numbers("RED-CLOCK") == (9, 1, 10)


async def test_an_edit_adds_units_as_a_new_line(app: App) -> None:
    order = await app.buy("RED-CLOCK", 1)

    await app.control(f"orders/{order}/edit", sku="RED-CLOCK", quantity=3)
    await app.control(f"orders/{order}/edit", sku="BLUE-CLOCK", quantity=2)

    lines = (await read(app, order))["lineItems"]["nodes"]
    assert [(one["sku"], one["currentQuantity"]) for one in lines] == [
        ("RED-CLOCK", 1),
        ("RED-CLOCK", 2),
        ("BLUE-CLOCK", 2),
    ]
    assert await app.numbers("RED-CLOCK") == (7, 3, 10)


async def test_a_person_sets_a_level_by_hand(app: App) -> None:
    await app.buy("RED-CLOCK", 2)

    answer = await app.control("levels", sku="RED-CLOCK", available=20)

    assert answer == {"sku": "RED-CLOCK", "available": 20, "on_hand": 22}
    assert await app.numbers("RED-CLOCK") == (20, 2, 22)


# --- searching -------------------------------------------------------------------------------------------------------


async def test_instants_have_whole_seconds(app: App) -> None:
    order = await app.buy("RED-CLOCK")

    assert (await read(app, order))["createdAt"] == "2026-11-22T12:00:00Z"


async def test_a_search_learns_of_an_order_later_than_a_lookup(opened: Opened) -> None:
    app = await opened.app(a_seed(index_lag_s=20.0))
    order = await app.buy("RED-CLOCK")

    at_once = await names(app)
    looked_up = await read(app, order)
    await app.clock.advance(20)

    assert at_once == []
    assert looked_up["name"] == "#1001"
    assert await names(app) == ["#1001"]


async def test_a_change_not_yet_indexed_is_found_under_its_former_update(opened: Opened) -> None:
    app = await opened.app(a_seed(index_lag_s=20.0))
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(60)
    await app.control(f"orders/{order}/cancel")
    since = "updated_at:>='2026-11-22T12:00:30Z'"

    early = await names(app, since)
    whole = await app.data(ORDERS, first=1)
    await app.clock.advance(20)

    assert early == []
    assert whole["orders"]["nodes"][0]["cancelledAt"] is not None  # found by the old entry, shown as it is now
    assert await names(app, since) == ["#1001"]


async def test_an_update_filter_finds_what_changed_since(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.clock.advance(10)
    await app.buy("RED-CLOCK")
    await app.clock.advance(10)
    await app.control(f"orders/{first}/fulfil")

    assert await names(app, "updated_at:>='2026-11-22T12:00:10Z'") == ["#1002", "#1001"]
    assert await names(app, "updated_at:>'2026-11-22T12:00:10Z'") == ["#1001"]
    assert await names(app, "updated_at:>='2026-11-22T12:00:00Z' AND updated_at:<'2026-11-22T12:00:15Z'") == ["#1002"]
    assert await names(app, "created_at:>='2026-11-22T12:00:05Z'") == ["#1002"]


async def test_orders_are_filtered_by_status_and_name(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.buy("BLUE-CLOCK")
    await app.control(f"orders/{first}/cancel")

    assert sorted(await names(app)) == ["#1001", "#1002"]
    assert await names(app, "status:open") == ["#1002"]
    assert await names(app, "status:cancelled") == ["#1001"]
    assert await names(app, "name:#1002") == ["#1002"]
    assert await names(app, f"id:{first}") == ["#1001"]
    assert await names(app, f"id:>{first}") == ["#1002"]
    assert await names(app, "sku:'BLUE-CLOCK'") == ["#1002"]


async def test_a_query_that_the_sandbox_cannot_read_is_refused(app: App) -> None:
    answers = [await app.ask(ORDERS, first=1, query=query) for query in ("tag:gift OR tag:wrap", "updated_at:>=12:00")]

    assert [one["errors"][0]["extensions"]["code"] for one in answers] == ["SANDBOX_LIMIT", "SANDBOX_LIMIT"]


async def test_pages_hold_every_order_once(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("RED-CLOCK", quantity=1000),)))
    for number in range(23):
        await app.buy("RED-CLOCK")
        if number % 3 == 0:
            await app.clock.advance(1)

    seen: list[str] = []
    after: str | None = None
    more = True
    while more:
        page = (await app.data(ORDERS, first=5, after=after))["orders"]
        seen += [one["name"] for one in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert seen == [f"#{1001 + number}" for number in range(23)]


async def test_an_order_changed_while_pages_are_read_comes_again_at_the_end(app: App) -> None:
    orders = []
    for _ in range(4):
        orders.append(await app.buy("RED-CLOCK"))
        await app.clock.advance(1)
    first = (await app.data(ORDERS, first=2))["orders"]

    await app.control(f"orders/{orders[0]}/fulfil")
    rest = (await app.data(ORDERS, first=5, after=first["pageInfo"]["endCursor"]))["orders"]

    assert [one["name"] for one in rest["nodes"]] == ["#1003", "#1004", "#1001"]


async def test_a_cursor_is_good_for_its_own_search_only(app: App) -> None:
    await app.buy("RED-CLOCK")
    cursor = (await app.data(ORDERS, first=1))["orders"]["pageInfo"]["endCursor"]

    answer = await app.ask(ORDERS, first=1, after=cursor, query="status:open")
    nonsense = await app.ask(ORDERS, first=1, after="nonsense")

    assert answer["errors"][0]["message"] == "Invalid cursor for current pagination sort."
    assert nonsense["errors"][0]["message"] == "Invalid cursor for current pagination sort."


async def test_the_default_order_is_by_age_and_can_be_reversed(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.buy("RED-CLOCK")
    await app.clock.advance(5)
    await app.control(f"orders/{first}/fulfil")

    by_age = await app.data("{ orders(first: 5) { nodes { name } } }")
    newest = await app.data("{ orders(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { name } } }")

    assert [one["name"] for one in by_age["orders"]["nodes"]] == ["#1001", "#1002"]
    assert [one["name"] for one in newest["orders"]["nodes"]] == ["#1001"]


async def test_orders_of_the_last_sixty_days_only_without_a_further_scope(app: App) -> None:
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(61 * 86_400)

    assert await names(app) == []
    assert await read(app, order) is None


def test_a_poll_of_a_long_history_touches_only_its_page() -> None:
    index = OrderIndex()
    start = NOON.replace(microsecond=0)
    for number in range(100_000):
        index.note(number, start + timedelta(seconds=number), start)
    index.catch_up(start)
    since = start + timedelta(seconds=99_990)

    began = perf_counter()
    pages = [[entry[1] for entry in index.by_update(None, since)] for _ in range(1000)]
    took = perf_counter() - began

    assert pages[0] == list(range(99_990, 100_000))
    assert took < 1.0  # a scan of the history would take minutes


def test_an_older_change_that_is_indexed_late_does_not_undo_a_newer_one() -> None:
    index = OrderIndex()
    index.note(1, NOON, visible_at=NOON + timedelta(seconds=20))
    index.note(1, NOON + timedelta(seconds=5), visible_at=NOON + timedelta(seconds=6))

    index.catch_up(NOON + timedelta(seconds=30))

    entries: list[tuple[datetime, int]] = list(index.by_update(None, None))
    assert entries == [(NOON + timedelta(seconds=5), 1)]
