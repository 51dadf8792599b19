"""Which orders are asked for, and that none is lost between pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.contract import Malformed, OrderNews, Page, RawEvent, Transient
from adapters.ebay import EbayChannel
from tests.unit.ebay.doubles import ORDERS, Json, ScriptedEbay, an_order, error, ok, orders_page, refused
from tests.unit.shopify.doubles import NOW, FakeClock


async def polled(channel: EbayChannel, since: datetime = NOW - timedelta(hours=1)) -> list[Page]:
    return [page async for page in channel.poll_orders(since)]


def ids(pages: list[Page], channel: EbayChannel) -> list[str]:
    found = [channel.resolve(event) for page in pages for event in page.events]
    return [news.order.channel_order_id for news in found if isinstance(news, OrderNews)]


def window(ebay: ScriptedEbay) -> str:
    return ebay.to("GET", ORDERS)[-1].url.params["filter"]


class LiveOrders:
    """A shop whose orders leave the window after the n-th page."""

    def __init__(self, orders: list[Json], leaving: dict[int, list[int]]) -> None:
        self.orders = orders
        self.leaving = leaving
        self.pages = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        for index in sorted(self.leaving.pop(self.pages, []), reverse=True):
            del self.orders[index]
        self.pages += 1
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return orders_page(self.orders[offset : offset + limit], len(self.orders))


def many(count: int) -> list[Json]:
    return [an_order(f"01-{number:05d}") for number in range(count)]


async def test_the_window_ends_some_seconds_ago_and_never_ahead_of_ebays_clock(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    ebay.script("GET", ORDERS, orders_page([]))

    assert await polled(channel) == [Page((), None)]

    assert window(ebay) == "lastmodifieddate:[2026-11-22T11:00:00.000Z..2026-11-22T11:59:55.000Z]"
    params = ebay.to("GET", ORDERS)[0].url.params
    assert (params["limit"], params["offset"]) == ("200", "0")
    assert b"%5B" in ebay.to("GET", ORDERS)[0].url.query


@pytest.mark.parametrize(
    ("since", "start"),
    [
        (NOW + timedelta(hours=1), "2026-11-22T11:59:54.000Z"),
        (datetime(2019, 1, 1, tzinfo=UTC), "2024-11-23T11:59:55.000Z"),
        (NOW - timedelta(seconds=60, microseconds=-1999), "2026-11-22T11:59:00.001Z"),
    ],
)
async def test_the_window_is_one_that_ebay_accepts(
    channel: EbayChannel, ebay: ScriptedEbay, since: datetime, start: str
) -> None:
    ebay.script("GET", ORDERS, orders_page([]))

    await polled(channel, since)

    assert window(ebay) == f"lastmodifieddate:[{start}..2026-11-22T11:59:55.000Z]"


async def test_every_page_of_one_fixed_window_is_read(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    live = LiveOrders(many(450), {})

    def slowly(request: httpx.Request) -> httpx.Response:
        clock.pass_s(30)
        return live(request)

    ebay.script("GET", ORDERS, slowly)

    pages = await polled(channel)

    assert ids(pages, channel) == [f"01-{number:05d}" for number in range(450)]
    assert [page.cursor for page in pages] == ["200", "400", None]
    assert len({request.url.params["filter"] for request in ebay.to("GET", ORDERS)}) == 1


@pytest.mark.parametrize("leaving", [{1: [0, 1, 2]}, {1: [5], 2: [7, 8]}, {1: list(range(150))}, {2: [0]}])
async def test_orders_that_leave_the_window_hide_no_others(
    channel: EbayChannel, ebay: ScriptedEbay, leaving: dict[int, list[int]]
) -> None:
    orders = many(450)
    ebay.script("GET", ORDERS, LiveOrders(orders, leaving))

    found = ids(await polled(channel), channel)

    assert {order["orderId"] for order in orders} <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: orders_page(many(200), 10**9),
        lambda request: orders_page([], 7),
    ],
)
async def test_paging_that_does_not_advance_ends_in_an_error(
    channel: EbayChannel, ebay: ScriptedEbay, answer: Callable[[httpx.Request], httpx.Response]
) -> None:
    ebay.script("GET", ORDERS, answer)

    with pytest.raises(Transient, match="does not advance"):
        await polled(channel)


async def test_a_failing_page_is_no_complete_poll(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page(many(200), 450), refused(500, error(30500)))

    with pytest.raises(Transient):
        await polled(channel)


async def test_a_page_that_does_not_say_how_many_there_are_is_no_complete_poll(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    ebay.script("GET", ORDERS, ok({"orders": many(200)}))

    with pytest.raises(Transient):
        await polled(channel)


async def test_a_poison_order_does_not_stop_the_others(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page([None, {"orderId": 7}, "text", an_order("01-1")]))

    (page,) = await polled(channel)

    news = [channel.resolve(event) for event in page.events]
    assert [type(each) for each in news] == [Malformed, Malformed, Malformed, OrderNews]


def event_of(page: Page) -> RawEvent:
    (event,) = page.events
    return event


async def test_the_same_state_has_the_same_key_and_a_new_one_another(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    shuffled = dict(reversed(an_order().items()))
    newer = an_order(lastModifiedDate="2026-11-22T11:00:00.000Z")
    ebay.script("GET", ORDERS, *(orders_page([order]) for order in (an_order(), shuffled, newer, an_order())))

    first, again, later = [event_of((await polled(channel))[0]) for _ in range(3)]
    (fetched,) = await channel.fetch_orders(["01-03955-36441"])

    assert first == again == fetched
    assert first.event_key.startswith("order:01-03955-36441:2026-11-22T10:05:00.000Z:")
    assert later.event_key != first.event_key


async def test_who_bought_is_not_kept(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page([an_order(buyerCheckoutNotes="call Ann")]))

    event = event_of((await polled(channel))[0])

    assert b"a-buyer" not in event.body
    assert b"call Ann" not in event.body


async def test_orders_are_fetched_fifty_a_call_and_nothing_else_is_asked(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return orders_page([an_order(order_id) for order_id in request.url.params["orderIds"].split(",")])

    ebay.script("GET", ORDERS, answer)
    wanted = [f"01-{number:05d}" for number in range(120)]

    found = await channel.fetch_orders([*wanted, wanted[0], "not an id, but two"])

    assert len(found) == 120
    assert [len(r.url.params["orderIds"].split(",")) for r in ebay.to("GET", ORDERS)] == [50, 50, 20]
    assert {tuple(r.url.params) for r in ebay.to("GET", ORDERS)} == {("orderIds",)}


async def test_one_bad_id_does_not_hide_the_others(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params["orderIds"].split(",")
        if "bad" in asked:
            return refused(400, error(32100, "Invalid order ID"))
        return orders_page([an_order(order_id) for order_id in asked if order_id != "gone"])

    ebay.script("GET", ORDERS, answer)

    found = await channel.fetch_orders(["01-1", "01-2", "bad", "gone", "01-3"])

    assert [event.event_key.split(":")[1] for event in found] == ["01-1", "01-2", "01-3"]


class SlowAfter(httpx.AsyncBaseTransport):
    """Answers some requests for orders at once, and then hardly ever."""

    def __init__(self, ebay: ScriptedEbay, prompt: int) -> None:
        self._ebay = ebay
        self._prompt = prompt

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if len(self._ebay.to("GET", ORDERS)) >= self._prompt:
            await asyncio.sleep(30)
        return await self._ebay.transport.handle_async_request(request)


async def test_a_fetch_that_lasts_too_long_gives_what_it_has(
    channel: EbayChannel, ebay: ScriptedEbay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return orders_page([an_order(order_id) for order_id in request.url.params["orderIds"].split(",")])

    monkeypatch.setattr("adapters.ebay.orders.CALL_REAL_S", 0.2)
    ebay.script("GET", ORDERS, answer)
    channel._rest._http._client._transport = SlowAfter(ebay, prompt=1)

    async with asyncio.timeout(30.0):
        assert len(await channel.fetch_orders([f"01-{number}" for number in range(60)])) == 50
        with pytest.raises(Transient, match=r"no end within 0\.2 s"):
            await channel.fetch_orders(["01-1"])


def test_an_order_without_lines_in_the_inbox_is_malformed(channel: EbayChannel) -> None:
    body = b'{"orderId":"1","lastModifiedDate":"2026-11-22T11:00:00Z"}'

    assert isinstance(channel.resolve(RawEvent("k", "poll/order", body)), Malformed)
