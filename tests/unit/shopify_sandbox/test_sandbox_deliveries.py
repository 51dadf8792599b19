"""How webhooks travel, and what becomes of them when nobody takes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.shopify.sandbox import FaultMix, ShopifySandbox
from adapters.shopify.sandbox.deliveries import RETRY_DELAYS_S, sign
from tests.unit.shopify_sandbox.kit import HOOK, App, Opened, SeededRng, SteppingClock, a_seed

CREATE = """mutation Hook($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri format includeFields filter apiVersion { handle } }
    userErrors { field message }
  }
}"""


LIST = """query Hooks($after: String) { webhookSubscriptions(first: 2, after: $after) {
  pageInfo { hasNextPage endCursor } nodes { id topic uri } } }"""


DELETE = """mutation Drop($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }"""


async def test_a_late_delivery_carries_the_state_of_its_time(app: App) -> None:
    await app.subscribe("orders/updated")
    await app.control("webhooks/pause")
    order = await app.buy("RED-CLOCK")
    await app.control(f"orders/{order}/cancel")
    await app.clock.advance(100)

    await app.control("webhooks/resume")
    await app.clock.advance(1)

    cancelled = [one["cancelled_at"] is not None for one in app.mail.bodies("orders/updated")]
    assert sorted(cancelled) == [False, True]


async def test_deliveries_overtake_each_other(app: App) -> None:
    await app.subscribe("orders/create")
    for _ in range(10):
        await app.buy("RED-CLOCK")

    await app.clock.advance(8)

    names = [one["name"] for one in app.mail.bodies("orders/create")]
    assert sorted(names) == [f"#{1001 + number}" for number in range(10)]
    assert names != sorted(names)


async def test_a_duplicate_has_the_same_id_and_the_same_bytes(opened: Opened) -> None:
    app = await opened.app(a_seed(faults=replace(FaultMix.none(), webhook_duplicate=1.0)))
    await app.subscribe("orders/create")

    await app.buy("RED-CLOCK")
    await app.clock.advance(8)

    first, second = app.mail.got
    assert first.content == second.content
    assert first.headers["X-Shopify-Webhook-Id"] == second.headers["X-Shopify-Webhook-Id"]


async def test_a_dropped_delivery_never_comes(opened: Opened) -> None:
    app = await opened.app(a_seed(faults=replace(FaultMix.none(), webhook_drop=1.0)))
    await app.subscribe("orders/create")

    await app.buy("RED-CLOCK")
    await app.clock.advance(86_400)

    assert app.mail.got == []
    assert (await app.stats())["webhooks"]["dropped"] == 1


async def test_a_refused_delivery_comes_again_with_the_same_bytes(app: App) -> None:
    await app.subscribe("orders/create")
    app.mail.status = 503
    await app.buy("RED-CLOCK")
    await app.clock.advance(8)
    app.mail.status = 200

    await app.clock.advance(RETRY_DELAYS_S[0])

    first, again = app.mail.got
    assert first.content == again.content
    assert first.headers["X-Shopify-Webhook-Id"] == again.headers["X-Shopify-Webhook-Id"]
    counts = (await app.stats())["webhooks"]
    assert (counts["sent"], counts["failed"], counts["pending"]) == (1, 1, 0)


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_after_eight_retries_in_vain_the_subscription_is_deleted(app: App, status: int) -> None:
    await app.subscribe("orders/create", "orders/updated")
    app.mail.status = status
    await app.buy("RED-CLOCK")

    await app.clock.advance(5 * 3600)

    assert app.mail.topics().count("orders/create") == 9
    assert (await app.data(LIST))["webhookSubscriptions"]["nodes"] == []
    counts = (await app.stats())["webhooks"]
    assert (counts["subscriptions_deleted"], counts["pending"]) == (2, 0)


async def test_pending_deliveries_of_a_deleted_subscription_are_given_up(app: App) -> None:
    made = await app.control("webhooks", topic="orders/create", uri=HOOK)
    await app.buy("RED-CLOCK")

    await app.data(DELETE, id=f"gid://shopify/WebhookSubscription/{made['id']}")
    await app.clock.advance(10)

    assert app.mail.got == []
    assert (await app.truth())["deliveries_pending"] == 0


async def test_subscriptions_are_made_listed_and_deleted_through_the_api(app: App) -> None:
    subs = [("ORDERS_CREATE", {}), ("ORDERS_UPDATED", {"includeFields": ["id"]}), ("REFUNDS_CREATE", {})]

    made = [
        (await app.data(CREATE, topic=topic, sub={"uri": HOOK, "format": "JSON", **more}))["webhookSubscriptionCreate"]
        for topic, more in subs
    ]
    first = (await app.data(LIST))["webhookSubscriptions"]
    second = (await app.data(LIST, after=first["pageInfo"]["endCursor"]))["webhookSubscriptions"]
    gone = await app.data(DELETE, id=first["nodes"][0]["id"])
    again = await app.data(DELETE, id=first["nodes"][0]["id"])

    assert [one["userErrors"] for one in made] == [[], [], []]
    assert made[1]["webhookSubscription"]["includeFields"] == ["id"]
    assert made[0]["webhookSubscription"]["apiVersion"] == {"handle": "2026-10"}
    assert [one["topic"] for one in first["nodes"] + second["nodes"]] == [topic for topic, _ in subs]
    assert gone["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == first["nodes"][0]["id"]
    assert again["webhookSubscriptionDelete"]["userErrors"] != []


async def test_the_same_address_for_the_same_topic_is_taken_once(app: App) -> None:
    await app.data(CREATE, topic="ORDERS_CREATE", sub={"uri": HOOK})

    again = (await app.data(CREATE, topic="ORDERS_CREATE", sub={"uri": HOOK}))["webhookSubscriptionCreate"]

    assert again["webhookSubscription"] is None
    assert [one["message"] for one in again["userErrors"]] == ["Address for this topic has already been taken"]


async def test_a_strict_shop_takes_no_plain_http(opened: Opened) -> None:
    app = await opened.app(a_seed(allow_http_uris=False))

    answer = await app.data(CREATE, topic="ORDERS_CREATE", sub={"uri": "http://127.0.0.1:1/hook"})

    (error,) = answer["webhookSubscriptionCreate"]["userErrors"]
    assert error["message"] == "Address protocol http:// is not supported"


async def test_chosen_fields_alone_are_sent(app: App) -> None:
    await app.data(CREATE, topic="ORDERS_CREATE", sub={"uri": HOOK, "includeFields": ["id", "updated_at"]})

    await app.buy("RED-CLOCK")
    await app.clock.advance(8)

    assert [set(one) for one in app.mail.bodies("orders/create")] == [{"id", "updated_at"}]


async def test_webhooks_travel_over_real_sockets() -> None:
    received: list[tuple[str, bytes]] = []

    arrived = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        received.append((request.headers["X-Shopify-Hmac-Sha256"], await request.read()))
        arrived.set()
        return web.Response()

    shop = web.Application()
    shop.router.add_post("/hook", take)
    clock = SteppingClock()
    sandbox = ShopifySandbox(a_seed(), clock, SeededRng())
    async with TestServer(shop) as receiver, TestServer(sandbox.app) as server:
        async with httpx.AsyncClient(base_url=str(server.make_url("/")), verify=False) as people:
            hook = str(receiver.make_url("/hook"))
            await people.post("/_control/webhooks", json={"topic": "orders/create", "uri": hook})
            await people.post("/_control/orders", json={"lines": [{"sku": "RED-CLOCK", "quantity": 1}]})
        await clock.advance(8)
        await arrived.wait()

    ((signature, body),) = received
    assert signature == sign("sandbox-client-secret", body)
