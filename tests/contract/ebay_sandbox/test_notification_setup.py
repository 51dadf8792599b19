"""Configuration, destinations that prove themselves, topics and subscriptions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.ebay_sandbox.kit import (
    ENDPOINT,
    NOTIFICATION,
    VERIFICATION_TOKEN,
    App,
    Opened,
    a_destination,
    a_subscription,
    error_id,
)

CONFIG = f"{NOTIFICATION}/config"
DESTINATION = f"{NOTIFICATION}/destination"
SUBSCRIPTION = f"{NOTIFICATION}/subscription"


async def add_destination(app: App, **changes: Any) -> str:
    answer = await app.call("POST", DESTINATION, a_destination(**changes), as_app=True)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].rsplit("/", 1)[1]


# --- configuration -----------------------------------------------------------------------------------------------


async def test_without_a_configuration_there_is_no_destination(opened: Opened) -> None:
    app = await opened.app(alert_email=None)

    before = await app.call("GET", CONFIG, as_app=True)
    early = await app.call("POST", DESTINATION, a_destination(), as_app=True)
    wrong = await app.call("PUT", CONFIG, {"alertEmail": "nobody"}, as_app=True)
    put = await app.call("PUT", CONFIG, {"alertEmail": "ops@red-clock.test"}, as_app=True)

    assert error_id(before) == (404, 195026)
    assert error_id(early) == (409, 195003)
    assert error_id(wrong) == (400, 195025)
    assert (put.status_code, put.content) == (204, b"")
    assert await app.get(CONFIG, as_app=True) == {"alertEmail": "ops@red-clock.test"}


# --- destinations ------------------------------------------------------------------------------------------------


async def test_a_destination_proves_itself_while_it_is_made(app: App) -> None:
    destination = await add_destination(app)

    (listed,) = (await app.get(DESTINATION, as_app=True))["destinations"]
    assert listed == await app.get(f"{DESTINATION}/{destination}", as_app=True)
    assert listed["deliveryConfig"] == {"endpoint": ENDPOINT, "verificationToken": VERIFICATION_TOKEN}
    assert listed["status"] == "ENABLED"


async def test_an_endpoint_that_cannot_prove_itself_is_refused(app: App) -> None:
    app.endpoint.honest = False

    answer = await app.call("POST", DESTINATION, a_destination(), as_app=True)

    assert error_id(answer) == (409, 195020)
    assert (await app.get(DESTINATION, as_app=True))["total"] == 0


async def test_an_endpoint_is_registered_once(app: App) -> None:
    await add_destination(app)

    assert error_id(await app.call("POST", DESTINATION, a_destination(), as_app=True)) == (409, 195021)


def config(endpoint: str = ENDPOINT, token: str = VERIFICATION_TOKEN) -> dict[str, Any]:
    return {"deliveryConfig": {"endpoint": endpoint, "verificationToken": token}}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (config(endpoint="not an address"), 195017),
        (config(endpoint="ftp://syncd.test/hook"), 195017),
        (config(token="too-short"), 195019),
        (config(token="x" * 81), 195019),
        (config(token="spaces are not for tokens of this kind"), 195019),
        ({"status": "MARKED_DOWN"}, 195018),
        ({"name": "x" * 65}, 195016),
    ],
)
async def test_each_fault_of_a_destination_has_its_error(app: App, changes: dict[str, Any], error: int) -> None:
    assert error_id(await app.call("POST", DESTINATION, a_destination(**changes), as_app=True)) == (400, error)


async def test_live_takes_https_only(opened: Opened) -> None:
    app = await opened.app(allow_http_endpoints=False)
    body = a_destination(**config(endpoint="http://syncd.test/hook"))

    assert error_id(await app.call("POST", DESTINATION, body, as_app=True)) == (400, 195017)


async def test_a_destination_is_changed_and_removed_unless_in_use(app: App) -> None:
    subscription = await app.subscribe()
    (known,) = (await app.get(DESTINATION, as_app=True))["destinations"]
    path = f"{DESTINATION}/{known['destinationId']}"

    changed = await app.call("PUT", path, a_destination(name="another"), as_app=True)
    in_use = await app.call("DELETE", path, as_app=True)
    await app.call("DELETE", f"{SUBSCRIPTION}/{subscription}")
    gone = await app.call("DELETE", path, as_app=True)

    assert (changed.status_code, gone.status_code) == (204, 204)
    assert error_id(in_use) == (409, 195024)
    assert error_id(await app.call("GET", path, as_app=True)) == (404, 195022)


# --- topics ------------------------------------------------------------------------------------------------------


async def test_topics_tell_whose_token_subscribes(app: App) -> None:
    orders = await app.get(f"{NOTIFICATION}/topic/ORDER_CONFIRMATION", as_app=True)
    deletion = await app.get(f"{NOTIFICATION}/topic/MARKETPLACE_ACCOUNT_DELETION", as_app=True)

    assert (orders["scope"], deletion["scope"]) == ("USER", "APPLICATION")
    assert [payload["schemaVersion"] for payload in orders["supportedPayloads"]] == ["1.0", "1.1"]
    assert (await app.get(f"{NOTIFICATION}/topic", as_app=True))["total"] == 2
    assert error_id(await app.call("GET", f"{NOTIFICATION}/topic/ITEM_SOLD", as_app=True)) == (404, 195002)


async def test_an_account_may_have_no_order_push(opened: Opened) -> None:
    app = await opened.app(order_push=False)

    answer = await app.call("GET", f"{NOTIFICATION}/topic/ORDER_CONFIRMATION", as_app=True)

    assert error_id(answer) == (404, 195002)


# --- subscriptions -----------------------------------------------------------------------------------------------


async def test_a_subscription_is_made_once_and_listed(app: App) -> None:
    subscription = await app.subscribe()
    (listed,) = (await app.get(SUBSCRIPTION))["subscriptions"]

    again = await app.call("POST", SUBSCRIPTION, a_subscription(listed["destinationId"]))

    assert (listed["subscriptionId"], listed["topicId"]) == (subscription, "ORDER_CONFIRMATION")
    assert error_id(again) == (409, 195012)
    assert await app.get(f"{SUBSCRIPTION}/{subscription}") == listed


async def test_each_topic_wants_its_own_kind_of_token(app: App) -> None:
    destination = await add_destination(app)
    deletion = a_subscription(destination, topicId="MARKETPLACE_ACCOUNT_DELETION")

    by_seller = await app.call("POST", SUBSCRIPTION, deletion)
    by_app = await app.call("POST", SUBSCRIPTION, deletion, as_app=True)
    orders_by_app = await app.call("POST", SUBSCRIPTION, a_subscription(destination), as_app=True)

    assert error_id(by_seller) == error_id(orders_by_app) == (403, 195011)
    assert by_app.status_code == 201


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"topicId": "ITEM_SOLD"}, 195027),
        ({"destinationId": "nowhere"}, 195007),
        ({"status": "ON"}, 195006),
        ({"payload": {"format": "JSON", "schemaVersion": "9.9", "deliveryProtocol": "HTTPS"}}, 195008),
        ({"payload": {"format": "XML", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}}, 195009),
        ({"payload": {"format": "JSON", "schemaVersion": "1.0"}}, 195010),
    ],
)
async def test_each_fault_of_a_subscription_has_its_error(app: App, changes: dict[str, Any], error: int) -> None:
    destination = await add_destination(app)

    answer = await app.call("POST", SUBSCRIPTION, a_subscription(destination, **changes))

    assert error_id(answer) == (400, error)


async def test_nothing_is_enabled_towards_a_disabled_destination(app: App) -> None:
    destination = await add_destination(app, status="DISABLED")

    enabled = await app.call("POST", SUBSCRIPTION, a_subscription(destination))
    disabled = await app.call("POST", SUBSCRIPTION, a_subscription(destination, status="DISABLED"))
    path = disabled.headers["Location"]
    woken = await app.call("POST", f"{path}/enable")

    assert error_id(enabled) == error_id(woken) == (409, 195015)
    assert disabled.status_code == 201


async def test_a_subscription_is_changed_disabled_enabled_and_removed(app: App) -> None:
    path = f"{SUBSCRIPTION}/{await app.subscribe()}"
    known = await app.get(path)
    payload = {"format": "JSON", "schemaVersion": "1.1", "deliveryProtocol": "HTTPS"}

    answers = [await app.call("PUT", path, a_subscription(known["destinationId"], payload=payload))]
    answers.append(await app.call("POST", f"{path}/disable"))
    disabled = await app.get(path)
    answers.append(await app.call("POST", f"{path}/enable"))
    enabled = await app.get(path)
    answers.append(await app.call("DELETE", path))

    assert {answer.status_code for answer in answers} == {204}
    assert (disabled["status"], enabled["status"]) == ("DISABLED", "ENABLED")
    assert enabled["payload"]["schemaVersion"] == "1.1"
    assert error_id(await app.call("GET", path)) == (404, 195013)


async def test_lists_hold_10_to_100_a_page(app: App) -> None:
    few = await app.call("GET", SUBSCRIPTION, limit=9)
    many = await app.call("GET", SUBSCRIPTION, limit=101)
    lost = await app.call("GET", SUBSCRIPTION, continuation_token="elsewhere")
    page = await app.get(SUBSCRIPTION, limit=10)

    assert error_id(few) == error_id(many) == (400, 195004)
    assert error_id(lost) == (400, 195005)
    assert (page["total"], page["limit"], page["subscriptions"]) == (0, 10, [])
