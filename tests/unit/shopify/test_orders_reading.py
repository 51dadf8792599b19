"""The poll ends only when everything was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from adapters.contract import OrderState, RawEvent, Rejected, Transient
from adapters.shopify import ShopifyChannel
from adapters.shopify.graphql import _DEPTH
from adapters.shopify.order_reader import order_query, raw_event
from tests.unit.shopify.builders import LEFT_AT, ALine, AnOrder, AParcel, ARefund, order_in
from tests.unit.shopify.doubles import Json, ScriptedShop, data, errors, page

SINCE = datetime(2026, 11, 22, 9, 30, 15, 999_999, tzinfo=UTC)


async def polled(channel: ShopifyChannel, since: datetime = SINCE) -> list[RawEvent]:
    return [event async for found in channel.poll_orders(since) for event in found.events]


def states(channel: ShopifyChannel, events: list[RawEvent]) -> list[OrderState]:
    return [order_in(channel.resolve(event)) for event in events]


def orders(*nodes: Json, after: str | None = None) -> Any:
    return data({"orders": page(list(nodes), after)})


async def test_every_page_is_read_and_says_where_to_resume(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    first, second, third = (AnOrder(id=number).node() for number in (1, 2, 3))
    shop.script("SyncdOrders", orders(first, second, after="c1"), orders(third))

    pages = [found async for found in channel.poll_orders(SINCE)]

    assert [found.cursor for found in pages] == ["c1", None]
    assert [len(found.events) for found in pages] == [2, 1]
    query = "updated_at:>='2026-11-22T09:30:15Z'"  # rounded down, never up
    assert shop.variables("SyncdOrders") == [
        {"query": query, "first": 2, "after": None},
        {"query": query, "first": 2, "after": "c1"},
    ]


async def test_an_event_is_keyed_by_order_version_and_content(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    node = AnOrder(id=5).node()
    shop.script("SyncdOrders", orders(node))

    (event,) = await polled(channel)
    (again,) = await polled(channel)

    assert event == again
    assert event.topic == "poll/order"
    assert event.event_key.startswith("order:gid://shopify/Order/5:2026-11-22T10:00:00Z:")
    assert len(event.event_key.rsplit(":", 1)[1]) == 16
    assert b": " not in event.body
    assert states(channel, [event]) == [AnOrder(id=5).state()]


def test_the_query_is_in_utc() -> None:
    at = datetime(2026, 11, 22, 4, 30, tzinfo=timezone(timedelta(hours=-5)))

    assert order_query(at) == "updated_at:>='2026-11-22T09:30:00Z'"


async def test_fetching_and_polling_give_the_same_event(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    node = AnOrder(id=5).node()
    shop.script("SyncdOrders", orders(node))
    shop.script("SyncdOrdersById", data({"nodes": [dict(reversed(node.items())), None]}))

    fetched = await channel.fetch_orders(
        ["gid://shopify/Order/5", "gid://shopify/Order/6", "gid://shopify/Order/5", "nonsense"]
    )

    assert list(fetched) == await polled(channel)
    assert shop.variables("SyncdOrdersById") == [{"ids": ["gid://shopify/Order/5", "gid://shopify/Order/6"]}]


async def test_many_orders_are_fetched_a_page_at_a_time(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    def answer(variables: Json) -> Any:
        return data({"nodes": [AnOrder(id=int(gid.rsplit("/")[-1])).node() for gid in variables["ids"]]})

    shop.script("SyncdOrdersById", answer)

    fetched = await channel.fetch_orders([f"gid://shopify/Order/{number}" for number in range(1, 6)])

    assert [len(variables["ids"]) for variables in shop.variables("SyncdOrdersById")] == [2, 2, 1]
    assert len(fetched) == 5


async def test_a_long_order_is_read_to_its_last_line(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    lines = tuple(ALine(id=number) for number in range(1, 46))
    whole = AnOrder(id=5, lines=lines)
    nodes = [line.node("USD") for line in lines]
    shop.script("SyncdOrders", orders(whole.node() | {"lineItems": page(nodes[:20], "l1")}))
    shop.script("SyncdOrderLines", _lines(nodes[20:40], "l2"), _lines(nodes[40:]))

    (event,) = await polled(channel)

    assert states(channel, [event]) == [whole.state()]
    assert [variables["after"] for variables in shop.variables("SyncdOrderLines")] == ["l1", "l2"]
    # the same order in one piece is the same event
    (whole_event,) = [raw_event(msgspec.json.decode(event.body))]
    assert whole_event == event
    assert b"pageInfo" not in event.body


async def test_an_order_that_changes_while_its_lines_are_read_is_read_again(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    nodes = [ALine(id=number).node("USD") for number in range(1, 4)]
    begun = AnOrder(id=5).node() | {"lineItems": page(nodes[:2], "l1")}
    changed = begun | {"updatedAt": "2026-11-22T10:00:01Z"}
    shop.script("SyncdOrders", orders(begun))
    shop.script("SyncdOrderLines", _lines(nodes[2:], version="2026-11-22T10:00:01Z"))
    shop.script("SyncdOrdersById", data({"nodes": [changed]}))

    (state,) = states(channel, await polled(channel))

    assert len(state.lines) == 3
    assert state.version_at == datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)


async def test_an_order_that_never_holds_still_makes_the_poll_incomplete(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    begun = AnOrder(id=5).node() | {"lineItems": page([ALine().node("USD")], "l1")}
    shop.script("SyncdOrders", orders(begun))
    shop.script("SyncdOrderLines", _lines([], version="2026-11-22T10:00:01Z"))
    shop.script("SyncdOrdersById", data({"nodes": [begun]}))

    with pytest.raises(Transient, match="kept changing"):
        await polled(channel)


async def test_a_full_list_of_refunds_is_read_again_to_its_end(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    refunds = tuple(ARefund(1, "CANCEL") for _ in range(12))
    whole = AnOrder(id=5, lines=(ALine(quantity=20, current=8),), refunds=refunds)
    node = whole.node()
    shop.script("SyncdOrders", orders(node | {"refunds": node["refunds"][:10]}))
    shop.script("SyncdOrderRefunds", data({"nodes": [{k: node[k] for k in ("id", "updatedAt", "refunds")}]}))

    (state,) = states(channel, await polled(channel))

    assert state == whole.state()
    assert (state.lines[0].taken_min, state.lines[0].taken_max) == (8, 8)


async def test_a_full_list_of_fulfilments_is_read_again_to_its_end(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    whole = _an_order_of_22_parcels()
    node = whole.node()
    shop.script("SyncdOrders", orders(node | {"fulfillments": node["fulfillments"][:20]}))
    shop.script("SyncdOrderFulfillments", _fulfillments(node["fulfillments"]))

    (event,) = await polled(channel)

    (state,) = states(channel, [event])
    assert state == whole.state()
    assert state.fulfilled_at == LEFT_AT + timedelta(minutes=21)
    assert shop.variables("SyncdOrderFulfillments") == [{"ids": ["gid://shopify/Order/5"]}]


async def test_an_order_that_changes_while_its_fulfilments_are_read_is_read_again(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    node = _an_order_of_22_parcels().node()
    begun = node | {"fulfillments": node["fulfillments"][:20]}
    changed = begun | {"updatedAt": "2026-11-22T10:00:01Z"}
    shop.script("SyncdOrders", orders(begun))
    shop.script("SyncdOrderFulfillments", _fulfillments(node["fulfillments"], version="2026-11-22T10:00:01Z"))
    shop.script("SyncdOrdersById", data({"nodes": [changed]}))

    (state,) = states(channel, await polled(channel))

    assert state.version_at == datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
    assert state.fulfilled_at == LEFT_AT + timedelta(minutes=21)


async def test_unreadable_fulfilments_do_not_keep_an_order_from_being_read(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    node = _an_order_of_22_parcels().node()
    shop.script("SyncdOrders", orders(node | {"fulfillments": 5}), orders(node))
    shop.script("SyncdOrderFulfillments", _fulfillments(None))

    (at_once,) = states(channel, await polled(channel))
    (longer,) = states(channel, await polled(channel))

    assert at_once == longer
    assert (longer.fulfilled_at, longer.lines[0].fulfilled) == (None, 22)


async def test_a_long_refund_is_read_to_its_last_line(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    whole = AnOrder(id=5, lines=(ALine(quantity=5, current=3),), refunds=(ARefund(1), ARefund(1)))
    first, second = (refund.node() for refund in whole.refunds)
    entries = first["refundLineItems"]["nodes"] + second["refundLineItems"]["nodes"]
    begun = first | {"refundLineItems": page(entries[:1], "r1")}
    node = whole.node() | {"refunds": [begun]}
    shop.script("SyncdOrders", orders(node))
    shop.script("SyncdOrderRefunds", data({"nodes": [{"id": node["id"], "updatedAt": node["updatedAt"], **node}]}))
    shop.script("SyncdRefundLines", data({"nodes": [{"id": first["id"], "refundLineItems": page(entries[1:])}]}))

    (state,) = states(channel, await polled(channel))

    assert (state.lines[0].taken_min, state.lines[0].taken_max) == (3, 3)


async def test_a_page_too_costly_is_asked_for_in_halves(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdOrders", errors("MAX_COST_EXCEEDED"), orders(AnOrder(id=1).node()))

    assert len(await polled(channel)) == 1
    assert [variables["first"] for variables in shop.variables("SyncdOrders")] == [2, 1]


async def test_a_single_order_too_costly_is_an_error(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdOrders", errors("MAX_COST_EXCEEDED"))

    with pytest.raises(Rejected):
        await polled(channel)


@pytest.mark.parametrize("cursor", ["c1", None])
async def test_paging_that_does_not_advance_is_an_error_and_no_end(
    channel: ShopifyChannel, shop: ScriptedShop, cursor: str | None
) -> None:
    stuck = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": cursor}}
    shop.script("SyncdOrders", orders(AnOrder(id=1).node(), after="c1"), data({"orders": stuck}))

    with pytest.raises(Transient):
        await polled(channel)


async def test_an_unreadable_order_is_passed_on_and_the_others_too(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    bad = AnOrder(id=1).node() | {"id": 5, "updatedAt": None}
    shop.script("SyncdOrders", orders(bad, AnOrder(id=2).node()))

    unreadable, good = await polled(channel)

    assert unreadable.event_key.startswith("order:unreadable:unreadable:")
    assert order_in(channel.resolve(good)).channel_order_id == "gid://shopify/Order/2"


async def test_a_list_longer_than_shopify_pages_is_begun_anew_from_its_earliest_change(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    late = [AnOrder(id=n, updated_at=f"2026-11-22T10:00:0{n % 5 + 1}Z").node() for n in range(1, _DEPTH // 2 + 1)]
    shop.script("SyncdOrders", orders(*late, after="c1"), orders(*late, after="c2"), orders())

    await polled(channel)

    asked = [(variables["query"], variables["after"]) for variables in shop.variables("SyncdOrders")]
    assert asked[1:] == [("updated_at:>='2026-11-22T09:30:15Z'", "c1"), ("updated_at:>='2026-11-22T10:00:01Z'", None)]


def _an_order_of_22_parcels() -> AnOrder:
    parcels = tuple(AParcel(LEFT_AT + timedelta(minutes=number)) for number in range(22))
    return AnOrder(id=5, lines=(ALine(quantity=22, shipped=22),), parcels=parcels)


def _fulfillments(nodes: Any, version: str = "2026-11-22T10:00:00Z") -> Any:
    return data({"nodes": [{"id": "gid://shopify/Order/5", "updatedAt": version, "fulfillments": nodes}]})


def _lines(nodes: list[Json], after: str | None = None, version: str = "2026-11-22T10:00:00Z") -> Any:
    found = {"id": "gid://shopify/Order/5", "updatedAt": version, "lineItems": page(nodes, after)}
    return data({"nodes": [found]})
