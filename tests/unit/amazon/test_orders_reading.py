"""Sweeps of all orders and looks at single ones, as raw events."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import msgspec
import pytest

from adapters.amazon import AmazonChannel
from adapters.contract import AuthExpired, RateLimited, RawEvent, Transient
from tests.unit.amazon.builders import ORDER_ID, an_order
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import HOME, NOW, FakeClock, Json, ScriptedAmazon, SeededRng, ok, refused, throttled

SINCE = NOW - timedelta(minutes=15, microseconds=500)
OTHER_ID = "903-0000000-0000001"


def orders(*found: object, token: str | None = None) -> httpx.Response:
    page: Json = {"orders": list(found), "lastUpdatedBefore": "2026-11-22T11:58:00Z"}
    return ok({**page, "pagination": {"nextToken": token}} if token else page)


async def swept(channel: AmazonChannel) -> list[RawEvent]:
    return [event async for page in channel.poll_orders(SINCE) for event in page.events]


async def test_a_sweep_repeats_every_parameter_on_every_page(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script(
        "searchOrders",
        orders(an_order(), token="t1"),
        orders(an_order(orderId=OTHER_ID), token="t2"),
        orders(an_order(orderId="903-0000000-0000002")),
    )

    pages = [page async for page in channel.poll_orders(SINCE)]

    assert [(len(page.events), page.cursor) for page in pages] == [(1, "t1"), (1, "t2"), (1, None)]
    first, second, third = amazon.params("searchOrders")
    assert first == {
        "lastUpdatedAfter": "2026-11-22T11:44:59Z",
        "marketplaceIds": f"{HOME},A2EUQ1WTGCTBG2",
        "includedData": "FULFILLMENT,RECIPIENT,CANCELLATION,PACKAGES",
        "maxResultsPerPage": "100",
    }
    assert second == {**first, "paginationToken": "t1"}
    assert third == {**first, "paginationToken": "t2"}


async def test_every_page_costs_a_token(channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock) -> None:
    pages = [orders(an_order(orderId=f"903-0000000-{n:07}"), token=f"t{n}") for n in range(20)]
    amazon.script("searchOrders", *pages, orders())

    assert len(await swept(channel)) == 20

    assert sum(clock.slept) == pytest.approx(1 / 0.0056, rel=0.01)


async def test_a_token_that_comes_again_ends_the_sweep_as_incomplete(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    first, second = an_order(), an_order(orderId=OTHER_ID)
    amazon.script("searchOrders", orders(first, token="t1"), orders(second, token="t1"))

    with pytest.raises(Transient, match="does not advance"):
        await swept(channel)


async def test_a_page_that_comes_again_under_another_token_ends_the_sweep_as_incomplete(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchOrders", orders(an_order(), token="t1"), orders(an_order(), token="t2"))

    with pytest.raises(Transient, match="does not advance"):
        await swept(channel)


async def test_an_empty_page_in_the_middle_is_no_end(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchOrders", orders(token="t1"), orders(token="t2"), orders(an_order()))

    assert len(await swept(channel)) == 1


async def test_the_same_state_has_the_same_key_whichever_way_it_comes(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    order = an_order()
    amazon.script("searchOrders", orders(order))
    amazon.script("getOrder", ok({"order": dict(reversed(order.items()))}))

    (polled,), (fetched,) = await swept(channel), await channel.fetch_orders([ORDER_ID])

    assert polled == fetched
    assert polled.event_key.startswith(f"order:{ORDER_ID}:2026-11-22T10:00:00Z:")


async def test_a_changed_state_within_one_second_has_another_key(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchOrders", orders(an_order()), orders(an_order(status="SHIPPED")))

    (before,), (after,) = await swept(channel), await swept(channel)

    assert before.event_key != after.event_key


@pytest.mark.parametrize("poison", [None, 7, "order", [], {}, {"orderId": "../etc"}, {"orderId": None}])
async def test_an_unreadable_order_is_kept_and_stops_no_other(
    channel: AmazonChannel, amazon: ScriptedAmazon, poison: object
) -> None:
    amazon.script("searchOrders", orders(poison, an_order()))

    bad, good = await swept(channel)

    assert bad.event_key.startswith("order:unreadable:unreadable:")
    assert msgspec.json.decode(bad.body) == poison
    assert type(channel.resolve(bad)).__name__ == "Malformed"
    assert type(channel.resolve(good)).__name__ == "OrderNews"


async def test_orders_are_fetched_one_by_one_with_the_same_data(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("getOrder", lambda request: ok({"order": an_order(orderId=request.url.path.rsplit("/", 1)[1])}))

    found = await channel.fetch_orders([ORDER_ID, OTHER_ID, ORDER_ID])

    assert [event.event_key.split(":")[1] for event in found] == [ORDER_ID, OTHER_ID]
    assert amazon.params("getOrder") == [{"includedData": "FULFILLMENT,RECIPIENT,CANCELLATION,PACKAGES"}] * 2


@pytest.mark.parametrize("status", [404, 400])
async def test_an_order_that_amazon_does_not_know_is_just_absent(
    channel: AmazonChannel, amazon: ScriptedAmazon, status: int
) -> None:
    amazon.script("getOrder", refused(status), ok({"order": an_order()}))

    (found,) = await channel.fetch_orders([OTHER_ID, ORDER_ID])

    assert ORDER_ID in found.event_key


async def test_a_fetch_is_paced_by_its_own_quota(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("getOrder", refused(404))

    await channel.fetch_orders([f"903-0000000-{n:07}" for n in range(40)])

    assert sum(clock.slept) == pytest.approx(20.0, rel=0.02)


async def test_a_fetch_that_needs_a_person_is_not_an_absent_order(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("getOrder", refused(403))

    with pytest.raises(AuthExpired):
        await channel.fetch_orders([ORDER_ID])


def id_of(request: httpx.Request) -> str:
    return request.url.path.rsplit("/", 1)[1]


@pytest.mark.parametrize("status", [403, 404, 503])
async def test_an_order_that_cannot_be_read_stops_no_other(
    channel: AmazonChannel, amazon: ScriptedAmazon, status: int
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return refused(status) if id_of(request) == ORDER_ID else ok({"order": an_order(orderId=id_of(request))})

    amazon.script("getOrder", answer)

    (found,) = await channel.fetch_orders([ORDER_ID, OTHER_ID])

    assert OTHER_ID in found.event_key


@pytest.mark.parametrize(("answer", "kind"), [(refused(503), Transient), (refused(403), AuthExpired)])
async def test_a_fetch_without_any_order_tells_what_went_wrong(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: httpx.Response, kind: type[Exception]
) -> None:
    def answered(request: httpx.Request) -> httpx.Response:
        return refused(404) if id_of(request) == OTHER_ID else answer

    amazon.script("getOrder", answered)

    with pytest.raises(kind):
        await channel.fetch_orders([OTHER_ID, ORDER_ID])


async def test_a_fetch_whose_quota_is_used_up_gives_what_it_has(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("getOrder", ok({"order": an_order()}), throttled())

    (found,) = await channel.fetch_orders([OTHER_ID, ORDER_ID, "903-0000000-0000002"])
    assert ORDER_ID in found.event_key

    with pytest.raises(RateLimited):
        await channel.fetch_orders([ORDER_ID])


class SlowAfter(httpx.AsyncBaseTransport):
    """Answers some requests for an order at once, and then hardly ever."""

    def __init__(self, amazon: ScriptedAmazon, prompt: int) -> None:
        self._amazon = amazon
        self._prompt = prompt

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if len(self._amazon.sent("getOrder")) >= self._prompt:
            await asyncio.sleep(30)
        return await self._amazon.transport.handle_async_request(request)


async def test_a_fetch_that_lasts_too_long_gives_what_it_has(
    amazon: ScriptedAmazon, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.amazon.order_reader.CALL_REAL_S", 0.2)
    amazon.script("getOrder", lambda request: ok({"order": an_order(orderId=id_of(request))}))
    channel = AmazonChannel(settings(), clock, SeededRng(), SlowAfter(amazon, prompt=3))

    async with asyncio.timeout(30.0):
        assert len(await channel.fetch_orders([f"903-0000000-{n:07}" for n in range(9)])) == 3
        with pytest.raises(Transient, match=r"no end within 0\.2 s"):
            await channel.fetch_orders([ORDER_ID])
    await channel.close()
