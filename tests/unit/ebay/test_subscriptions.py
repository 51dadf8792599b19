"""Having eBay send its news to our address."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.contract import Transient
from adapters.ebay import EbayChannel
from adapters.subscription import SubscriptionState as State
from tests.unit.ebay.conftest import VERIFICATION_TOKEN, settings
from tests.unit.ebay.doubles import NO_SCOPE, NOTIFICATION, Json, ScriptedEbay, error, ok, refused
from tests.unit.shopify.doubles import FakeClock, SeededRng

URL = "https://shop.example/webhooks/ebay"
TOPIC = f"{NOTIFICATION}/topic/ORDER_CONFIRMATION"
CONFIG = f"{NOTIFICATION}/config"
DESTINATION = f"{NOTIFICATION}/destination"
SUBSCRIPTION = f"{NOTIFICATION}/subscription"
_PATHS = (TOPIC, CONFIG, DESTINATION, SUBSCRIPTION)


def payload(version: str, deprecated: bool = False, protocol: str = "HTTPS") -> Json:
    return {"schemaVersion": version, "format": ["JSON"], "deliveryProtocol": protocol, "deprecated": deprecated}


def destination(id: str = "d-1", url: str = URL, status: str = "ENABLED", token: str | None = None) -> Json:
    config = {"endpoint": url} | ({"verificationToken": token} if token else {})
    return {"destinationId": id, "name": "syncd", "status": status, "deliveryConfig": config}


def subscription(id: str = "s-1", to: str = "d-1", status: str = "ENABLED", topic: str = "ORDER_CONFIRMATION") -> Json:
    return {"subscriptionId": id, "topicId": topic, "destinationId": to, "status": status}


def made(path: str, id: str) -> httpx.Response:
    return httpx.Response(201, headers={"Location": f"https://api.ebay.example{path}/{id}"})


def script(ebay: ScriptedEbay, destinations: list[Json], subscriptions: list[Json]) -> None:
    """An account where everything that is asked for works."""
    ebay.script(
        "GET", TOPIC, ok({"topicId": "ORDER_CONFIRMATION", "supportedPayloads": [payload("1.1"), payload("1.0")]})
    )
    ebay.script("GET", CONFIG, ok({"alertEmail": "ops@shop.example"}))
    ebay.script("GET", DESTINATION, ok({"destinations": destinations, "total": len(destinations)}))
    ebay.script("POST", DESTINATION, made(DESTINATION, "d-1"))
    ebay.script("PUT", f"{DESTINATION}/d-1", httpx.Response(204))
    ebay.script("GET", SUBSCRIPTION, ok({"subscriptions": subscriptions, "total": len(subscriptions)}))
    ebay.script("POST", SUBSCRIPTION, made(SUBSCRIPTION, "s-1"))
    ebay.script("POST", f"{SUBSCRIPTION}/s-1/enable", httpx.Response(204))


async def states(channel: EbayChannel) -> list[tuple[str, State]]:
    return [(item.topic, item.state) for item in await channel.ensure_webhooks(URL)]


def writes(ebay: ScriptedEbay) -> list[tuple[str, str]]:
    asked = [(r.method, r.url.path) for r in ebay.requests if r.method != "GET"]
    return [each for each in asked if not each[1].endswith("token")]


async def test_everything_is_made_where_nothing_is(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, [destination("d-9", "https://other.example")], [])

    assert await states(channel) == [("destination", State.CREATED), ("ORDER_CONFIRMATION", State.CREATED)]

    assert ebay.bodies(DESTINATION) == [
        {
            "name": "syncd",
            "status": "ENABLED",
            "deliveryConfig": {"endpoint": URL, "verificationToken": VERIFICATION_TOKEN},
        }
    ]
    assert ebay.bodies(SUBSCRIPTION) == [
        {
            "topicId": "ORDER_CONFIRMATION",
            "status": "ENABLED",
            "destinationId": "d-1",
            "payload": {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"},
        }
    ]


async def test_the_seller_subscribes_and_the_application_owns_the_address(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    script(ebay, [], [])

    await channel.ensure_webhooks(URL)

    asked = [r for r in ebay.requests if not r.url.path.endswith("token")]
    tokens = {path: {r.headers["Authorization"] for r in asked if r.url.path == path} for path in _PATHS}
    assert ebay.forms()[0]["grant_type"] == "client_credentials"
    assert [tokens[path] for path in (TOPIC, CONFIG, DESTINATION)] == [{"Bearer token-1"}] * 3
    assert tokens[SUBSCRIPTION] == {"Bearer token-2"}


async def test_what_is_there_is_left_alone(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, [destination(token=VERIFICATION_TOKEN)], [subscription("s-0", topic="OTHER"), subscription()])

    assert await states(channel) == [("destination", State.PRESENT), ("ORDER_CONFIRMATION", State.PRESENT)]
    assert writes(ebay) == []


@pytest.mark.parametrize("found", [destination(status="MARKED_DOWN"), destination(token="x" * 40)])
async def test_a_destination_that_is_down_or_of_another_token_is_repaired(
    channel: EbayChannel, ebay: ScriptedEbay, found: Json
) -> None:
    script(ebay, [found], [subscription(status="DISABLED")])

    assert await states(channel) == [("destination", State.REPAIRED), ("ORDER_CONFIRMATION", State.REPAIRED)]
    assert writes(ebay) == [("PUT", f"{DESTINATION}/d-1"), ("POST", f"{SUBSCRIPTION}/s-1/enable")]


async def test_a_destination_is_found_on_a_later_page(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, [], [subscription()])
    more = f"https://api.ebay.example{DESTINATION}?limit=100&continuation_token=abc"
    pages = (
        ok({"destinations": [destination("d-9", "https://o.example")], "next": more}),
        ok({"destinations": [destination()]}),
    )
    ebay.script("GET", DESTINATION, *pages)

    assert (await states(channel))[0] == ("destination", State.PRESENT)
    assert ebay.to("GET", DESTINATION)[1].url.params["continuation_token"] == "abc"


async def test_paging_without_an_end_ends_in_an_error(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, [], [])
    again = f"https://api.ebay.example{DESTINATION}?continuation_token=abc"
    ebay.script("GET", DESTINATION, ok({"destinations": [], "next": again}))

    with pytest.raises(Transient, match="does not end"):
        await channel.ensure_webhooks(URL)


async def test_without_a_verification_token_nothing_is_asked(ebay: ScriptedEbay) -> None:
    channel = EbayChannel(settings(verification_token=None), FakeClock(), SeededRng(), ebay.transport)

    assert await channel.ensure_webhooks(URL) == ()
    assert ebay.requests == []
    await channel.close()


@pytest.mark.parametrize(
    "answer", [refused(404, error(195002)), ok({"supportedPayloads": [payload("1.0", protocol="PIGEON")]}), ok({})]
)
async def test_where_the_topic_is_not_offered_orders_are_polled(
    channel: EbayChannel, ebay: ScriptedEbay, answer: httpx.Response
) -> None:
    script(ebay, [], [])
    ebay.script("GET", TOPIC, answer)

    assert await states(channel) == [("ORDER_CONFIRMATION", State.POLLING_ONLY)]
    assert writes(ebay) == []


async def test_a_version_on_its_way_out_is_only_the_last_resort(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, [], [])
    old = {"supportedPayloads": [payload("1.0", deprecated=True), payload("1.1")]}
    ebay.script("GET", TOPIC, ok(old), ok({"supportedPayloads": [payload("1.0", deprecated=True)]}))

    await channel.ensure_webhooks(URL)
    await channel.ensure_webhooks(URL)

    assert [body["payload"]["schemaVersion"] for body in ebay.bodies(SUBSCRIPTION)] == ["1.1", "1.0"]


@pytest.mark.parametrize("answer", [refused(404, error(195026, "Configuration Not Found.")), ok({})])
async def test_a_missing_alert_email_says_what_to_do(
    channel: EbayChannel, ebay: ScriptedEbay, answer: httpx.Response
) -> None:
    script(ebay, [], [])
    ebay.script("GET", CONFIG, answer)

    (item,) = await channel.ensure_webhooks(URL)

    assert (item.topic, item.state) == ("alert email", State.REFUSED)
    assert "alert email" in (item.reason or "")
    assert writes(ebay) == []


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (refused(409, error(195020, "Challenge verification failed")), "reachable over HTTPS"),
        (refused(400, error(195017, "Invalid or missing endpoint.")), "195017 Invalid or missing endpoint"),
    ],
)
async def test_a_refused_destination_says_why(
    channel: EbayChannel, ebay: ScriptedEbay, refusal: httpx.Response, text: str
) -> None:
    script(ebay, [], [])
    ebay.script("POST", DESTINATION, refusal)

    (item,) = await channel.ensure_webhooks(URL)

    assert item.state is State.REFUSED
    assert text in (item.reason or "")
    assert VERIFICATION_TOKEN not in str(item)


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (refused(409, error(195012, "Subscription already exists")), "subscription s-7 sends them to another address"),
        (refused(403, error(195011, "Not authorized for this topic.", "API_NOTIFICATION")), "195011"),
    ],
)
async def test_a_refused_subscription_says_why(
    channel: EbayChannel, ebay: ScriptedEbay, refusal: httpx.Response, text: str
) -> None:
    script(ebay, [destination()], [subscription("s-7", to="d-9")])
    ebay.script("POST", SUBSCRIPTION, refusal)

    item = (await channel.ensure_webhooks(URL))[-1]

    assert item.state is State.REFUSED
    assert text in (item.reason or "")


@pytest.mark.parametrize(("method", "path"), [("GET", SUBSCRIPTION), ("POST", SUBSCRIPTION)])
async def test_a_missing_scope_for_notifications_is_told(
    channel: EbayChannel, ebay: ScriptedEbay, method: str, path: str
) -> None:
    script(ebay, [destination()], [])
    ebay.script(method, path, NO_SCOPE)

    item: Any = (await channel.ensure_webhooks(URL))[-1]

    assert (item.topic, item.state) == ("ORDER_CONFIRMATION", State.REFUSED)
    assert "scope" in item.reason
