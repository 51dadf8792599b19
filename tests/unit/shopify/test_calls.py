"""One GraphQL call: token, rate budget, and every way of saying no."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.contract import (
    AdapterError,
    AuthExpired,
    ListingRef,
    OutcomeUnknown,
    QuantityWrite,
    RateLimited,
    Rejected,
    Transient,
)
from adapters.shopify import ShopifyChannel
from tests.unit.shopify.builders import LOCATION, AnOrder
from tests.unit.shopify.conftest import settings
from tests.unit.shopify.doubles import FakeClock, Json, ScriptedShop, SeededRng, cost, data, errors, granted, page

REF = ListingRef("gid://shopify/InventoryItem/11", LOCATION)
LEVEL = {
    "id": REF.channel_sku,
    "tracked": True,
    "inventoryLevel": {"isActive": True, "quantities": [{"name": "available", "quantity": 7}]},
}
READ_OK = data({"nodes": [LEVEL]})
WRITE_OK = data({"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": []}})


async def read(channel: ShopifyChannel) -> int | None:
    return (await channel.read_quantities([REF]))[0].quantity


async def write(channel: ShopifyChannel) -> str:
    body = channel.compose_write("p1", [QuantityWrite(REF, 5, 7)])
    return (await channel.send_write("key-1", body))[0].outcome


# --- tokens ------------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_by_client_credentials(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", READ_OK)

    assert await asyncio.gather(*(read(channel) for _ in range(3))) == [7, 7, 7]

    assert shop.token_requests == [
        {"client_id": "client-1", "client_secret": "hush", "grant_type": "client_credentials"}
    ]
    assert {request.headers["X-Shopify-Access-Token"] for request in shop.requests} == {"token-1"}


async def test_a_token_is_renewed_before_it_dies(channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock) -> None:
    shop.tokens = [granted("token-1", 1000), granted("token-2", 1000)]
    shop.script("SyncdLevels", READ_OK)

    await read(channel)
    clock.pass_s(799)
    await read(channel)
    clock.pass_s(2)
    await read(channel)

    assert [r.headers["X-Shopify-Access-Token"] for r in shop.requests] == ["token-1", "token-1", "token-2"]


async def test_a_refused_token_is_replaced_once(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.tokens = [granted("token-1"), granted("token-2")]
    shop.script("SyncdSetQuantities", httpx.Response(401, json={"errors": "[API] Invalid API key"}), WRITE_OK)

    assert await write(channel) == "applied"

    assert [r.headers["X-Shopify-Access-Token"] for r in shop.requests] == ["token-1", "token-2"]


async def test_a_refused_second_token_needs_a_person(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", httpx.Response(401))

    with pytest.raises(AuthExpired):
        await read(channel)

    assert len(shop.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_refused_credentials_need_a_person(channel: ShopifyChannel, shop: ScriptedShop, status: int) -> None:
    shop.tokens = [httpx.Response(status, json={"error": "application_cannot_be_found"})]

    with pytest.raises(AuthExpired):
        await write(channel)

    assert (len(shop.token_requests), shop.requests) == (1, [])


@pytest.mark.parametrize("grant", [{}, {"access_token": ""}, {"access_token": "t", "expires_in": 0}, []])
async def test_an_unusable_grant_is_an_error(channel: ShopifyChannel, shop: ScriptedShop, grant: object) -> None:
    shop.tokens = [httpx.Response(200, json=grant)]

    with pytest.raises((AuthExpired, Transient)):
        await write(channel)


async def test_an_unreachable_token_endpoint_has_written_nothing(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.tokens = [httpx.Response(503)]

    with pytest.raises(Transient):
        await write(channel)


def test_secrets_do_not_show() -> None:
    shown = repr(settings())

    assert "hush" not in shown
    assert "client-1" in shown


async def test_nothing_logged_carries_a_secret_or_a_body(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdSetQuantities", httpx.Response(401), httpx.Response(502, text="<html>Steve Shipper</html>"))

    with capture_logs() as logs, pytest.raises(OutcomeUnknown):
        await write(channel)

    assert logs
    for word in ("hush", "token-1", "Steve", "quantities"):
        assert word not in str(logs)


# --- errors ------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[str, Any, type[AdapterError], type[AdapterError]]] = [
    ("throttled", errors("THROTTLED"), RateLimited, RateLimited),
    ("429", httpx.Response(429, headers={"Retry-After": "3"}), RateLimited, RateLimited),
    ("internal error", errors("INTERNAL_SERVER_ERROR"), Transient, OutcomeUnknown),
    ("access denied", errors("ACCESS_DENIED", found={"root": None}), AuthExpired, AuthExpired),
    ("inactive", errors("SHOP_INACTIVE"), AuthExpired, AuthExpired),
    ("too costly", errors("MAX_COST_EXCEEDED"), Rejected, Rejected),
    ("invalid variable", errors("INVALID_VARIABLE"), Rejected, Rejected),
    ("bad request", errors("BAD_REQUEST", found={"root": None}), Rejected, Rejected),
    ("too large", errors("MAX_INPUT_SIZE_EXCEEDED"), Rejected, Rejected),
    ("key in flight", errors("IDEMPOTENCY_CONCURRENT_REQUEST"), RateLimited, RateLimited),
    ("key conflict", errors("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), Rejected, Rejected),
    ("unknown code", errors("BRAND_NEW"), Rejected, OutcomeUnknown),
    ("no code", errors(None), Rejected, OutcomeUnknown),
    ("mixed", errors("BAD_REQUEST", "INTERNAL_SERVER_ERROR"), Transient, OutcomeUnknown),
    ("errors as text", httpx.Response(200, json={"errors": "no"}), Transient, OutcomeUnknown),
    ("no data", httpx.Response(200, json={}), Transient, OutcomeUnknown),
    ("null data", data({"inventorySetQuantities": None, "nodes": None}), Transient, OutcomeUnknown),
    ("truncated", httpx.Response(200, content=b'{"data":{"nod'), Transient, OutcomeUnknown),
    ("html", httpx.Response(200, text="<html>"), Transient, OutcomeUnknown),
    ("empty", httpx.Response(200), Transient, OutcomeUnknown),
    ("500", httpx.Response(500), Transient, OutcomeUnknown),
    ("503", httpx.Response(503), Transient, OutcomeUnknown),
    ("402", httpx.Response(402), AuthExpired, AuthExpired),
    ("403", httpx.Response(403), AuthExpired, AuthExpired),
    ("404", httpx.Response(404), Rejected, Rejected),
    ("423", httpx.Response(423), AuthExpired, AuthExpired),
    ("430", httpx.Response(430), Rejected, Rejected),
    ("301", httpx.Response(301, headers={"Location": "https://elsewhere.example"}), Rejected, Rejected),
    ("connect", httpx.ConnectError("no"), Transient, Transient),
    ("read timeout", httpx.ReadTimeout("no"), Transient, OutcomeUnknown),
]


@pytest.mark.parametrize(("answer", "of_a_read"), [pytest.param(a, r, id=name) for name, a, r, _ in REFUSALS])
async def test_every_refusal_of_a_read_is_one_of_the_five(
    channel: ShopifyChannel, shop: ScriptedShop, answer: Any, of_a_read: type[AdapterError]
) -> None:
    shop.script("SyncdLevels", answer)

    with pytest.raises(of_a_read):
        await read(channel)


@pytest.mark.parametrize(("answer", "of_a_write"), [pytest.param(a, w, id=name) for name, a, _, w in REFUSALS])
async def test_every_refusal_of_a_write_is_one_of_the_five(
    channel: ShopifyChannel, shop: ScriptedShop, answer: Any, of_a_write: type[AdapterError]
) -> None:
    shop.script("SyncdSetQuantities", answer)

    with pytest.raises(of_a_write):
        await write(channel)

    bodies = {request.content for request in shop.requests}
    assert len(bodies) == 1  # whatever was repeated, was repeated byte for byte, under the same key
    if of_a_write is OutcomeUnknown:
        assert len(shop.requests) == 1


async def test_an_unknown_outcome_is_left_to_the_caller_who_repeats_it_byte_for_byte(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    shop.script("SyncdSetQuantities", httpx.ReadTimeout("no answer"), WRITE_OK)

    with pytest.raises(OutcomeUnknown):
        await write(channel)
    assert await write(channel) == "applied"

    assert shop.requests[0].content == shop.requests[1].content


async def test_a_refused_single_field_is_null_and_no_error(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    denied = errors("ACCESS_DENIED", found={"nodes": [LEVEL]}, path=["nodes", 0, "shippingAddress"])
    shop.script("SyncdLevels", denied)

    assert await read(channel) == 7


async def test_a_refused_entry_of_a_list_is_an_error(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", errors("ACCESS_DENIED", found={"nodes": [None]}, path=["nodes", 0]))

    with pytest.raises(AuthExpired):
        await read(channel)


# --- the rate budget ---------------------------------------------------------------------------------------------


async def test_a_throttled_call_waits_as_long_as_the_bucket_needs(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    throttled = httpx.Response(
        200, json={"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": cost(100, requested=300)}
    )
    shop.script("SyncdLevels", throttled, READ_OK)

    assert await read(channel) == 7

    # 300 and the reserve of 400 are needed, 100 there, 100 a second come back
    assert 6.0 <= sum(clock.slept) <= 6.5


async def test_a_long_wait_is_the_callers_except_in_a_sweep(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    told = httpx.Response(429, headers={"Retry-After": "30"})
    shop.script("SyncdLevels", told)
    shop.script("SyncdOrdersById", told)
    shop.script("SyncdOrders", told, data({"orders": page([])}))
    shop.script("SyncdVariants", told, data({"productVariants": page([])}))

    for call in (read(channel), channel.fetch_orders(["gid://shopify/Order/1"])):
        with pytest.raises(RateLimited):
            await call
    assert clock.slept == []

    assert [found.events async for found in channel.poll_orders(clock.now())] == [()]
    assert [found.items async for found in channel.list_listings()] == [()]
    assert all(30 <= wait <= 33 for wait in clock.slept)
    assert len(clock.slept) == 2


@pytest.mark.parametrize("where", ["client", "order_reader"])
async def test_what_lasts_too_long_is_broken_off(
    channel: ShopifyChannel, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError

    monkeypatch.setattr(f"adapters.shopify.{where}.CALL_REAL_S", 0.1)
    channel._graphql._http._client._transport = httpx.MockTransport(hang)
    call = read(channel) if where == "client" else channel.fetch_orders(["gid://shopify/Order/1"])

    async with asyncio.timeout(30.0):
        with pytest.raises(Transient, match=r"no end within 0\.1 s"):
            await call


async def test_a_fetch_that_lasts_too_long_gives_what_it_has(
    clock: FakeClock, shop: ScriptedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowAfterOne(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if shop.requests:
                await asyncio.sleep(30)
            return await shop.transport.handle_async_request(request)

    def answer(variables: Json) -> httpx.Response:
        return data({"nodes": [AnOrder(id=int(gid.rsplit("/")[-1])).node() for gid in variables["ids"]]})

    monkeypatch.setattr("adapters.shopify.order_reader.CALL_REAL_S", 0.2)
    shop.script("SyncdOrdersById", answer)
    channel = ShopifyChannel(settings(page_size=2), clock, SeededRng(), SlowAfterOne())

    async with asyncio.timeout(30.0):
        assert len(await channel.fetch_orders([f"gid://shopify/Order/{number}" for number in range(1, 6)])) == 2
    await channel.close()


async def test_a_call_waits_before_it_would_be_throttled(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    shop.script("SyncdLevels", data({"nodes": [LEVEL]}, cost(available=390, requested=30)))

    await read(channel)
    assert clock.slept == []
    await read(channel)

    assert 0.4 <= sum(clock.slept) <= 0.51


async def test_order_reads_may_use_the_reserve_and_writes_may_not(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    shop.script("SyncdOrdersById", data({"nodes": [None]}, cost(available=200, requested=20)))
    shop.script("SyncdSetQuantities", WRITE_OK)
    order = ["gid://shopify/Order/1"]

    await channel.fetch_orders(order)
    await channel.fetch_orders(order)
    assert clock.slept == []
    await write(channel)

    assert 2.1 <= sum(clock.slept) <= 2.3


async def test_a_bucket_smaller_than_a_call_does_not_stop_it_for_ever(
    channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock
) -> None:
    shop.script("SyncdLevels", data({"nodes": [LEVEL]}, cost(available=0, requested=900, maximum=50, rate=0)))

    await read(channel)
    await read(channel)

    assert 50 <= sum(clock.slept) <= 51


async def test_retries_stop_after_their_attempts(channel: ShopifyChannel, shop: ScriptedShop, clock: FakeClock) -> None:
    shop.script("SyncdLevels", httpx.Response(429, headers={"Retry-After": "2"}))

    with pytest.raises(RateLimited) as caught:
        await read(channel)

    assert caught.value.retry_after_s == 2
    assert len(shop.requests) == 4
    assert all(2 <= wait <= 2.2 for wait in clock.slept)


async def test_an_answer_without_costs_is_fine(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", httpx.Response(200, json={"data": {"nodes": [LEVEL]}, "extensions": {"cost": None}}))

    assert await read(channel) == 7
    assert await read(channel) == 7
