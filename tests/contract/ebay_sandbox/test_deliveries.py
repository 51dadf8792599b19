"""Notifications as they arrive: signed, one a line, three attempts, and everything that goes wrong with them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.ebay_sandbox.kit import NOTIFICATION, App, Opened, error_id

LONG_ENOUGH_S = 3600.0


async def pass_time(app: App, seconds: float = LONG_ENOUGH_S) -> None:
    """Move on, and leave the deliveries time for their real work."""
    while True:
        await app.clock.advance(seconds)
        if (await app.report("truth"))["deliveries_pending"] == 0:
            return
        await asyncio.sleep(0.01)


async def webhooks(app: App) -> dict[str, int]:
    told: dict[str, int] = (await app.report("stats"))["webhooks"]
    return told


async def test_a_paid_order_is_told_with_a_signature_that_verifies(app: App) -> None:
    await app.subscribe()
    order = await app.buy("RED-CLOCK", 2)
    await pass_time(app, 60)

    (request,) = app.endpoint.got
    body = json.loads(request.content)
    notification = body["notification"]
    line = (await app.order(order))["lineItems"][0]
    assert body["metadata"] == {"topic": "ORDER_CONFIRMATION", "schemaVersion": "1.0", "deprecated": False}
    assert notification["publishAttemptCount"] == 1
    assert notification["data"]["order"] == {
        "orderId": order,
        "orderLineItems": [{"orderLineItemId": line["lineItemId"], "listingId": line["legacyItemId"], "quantity": 2}],
    }
    assert request.content == json.dumps(body, separators=(",", ":")).encode()
    assert await app.verifies(request)
    header = json.loads(base64.b64decode(request.headers["X-EBAY-SIGNATURE"]))
    assert (header["alg"], header["digest"]) == ("ecdsa", "SHA1")


async def test_the_payload_has_the_fields_of_the_reconstructed_one(app: App, shared: Path) -> None:
    await app.subscribe()
    await app.buy("RED-CLOCK")
    await pass_time(app, 60)
    sample = json.loads((shared / "specs/ebay/asyncapi/ORDER_CONFIRMATION.reconstructed.json").read_bytes())
    sample.pop("_provenance")

    (body,) = app.endpoint.bodies()

    assert shape(body) == shape(sample)


def shape(value: Any) -> Any:
    """The names and kinds of everything in a JSON value, in their order."""
    if isinstance(value, Mapping):
        return [(name, shape(inner)) for name, inner in value.items()]
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


async def test_each_line_is_told_by_itself(app: App) -> None:
    await app.subscribe()
    lines = [{"sku": "RED-CLOCK", "quantity": 1}, {"sku": "BLUE-CLOCK", "quantity": 2}]
    await app.control("orders", lines=lines)
    await pass_time(app)

    told = [body["notification"] for body in app.endpoint.bodies()]

    assert sorted(one["data"]["order"]["orderLineItems"][0]["quantity"] for one in told) == [1, 2]
    assert len({one["notificationId"] for one in told}) == 2


async def test_a_purchase_is_told_when_it_is_paid(app: App) -> None:
    await app.subscribe()
    order = await app.buy("RED-CLOCK", unpaid=True)
    await pass_time(app)
    silent = list(app.endpoint.got)
    await app.control(f"orders/{order}/pay")
    await pass_time(app)

    assert (silent, len(app.endpoint.got)) == ([], 1)


async def test_a_refusing_endpoint_is_tried_three_times(app: App) -> None:
    await app.subscribe()
    app.endpoint.status = 500
    await app.buy("RED-CLOCK")
    await pass_time(app)

    told = [body["notification"] for body in app.endpoint.bodies()]

    assert [one["publishAttemptCount"] for one in told] == [1, 2, 3]
    assert len({one["notificationId"] for one in told}) == 1
    assert [await app.verifies(request) for request in app.endpoint.got] == [True] * 3
    assert (await webhooks(app))["failed"] == 3
    assert (await webhooks(app))["sent"] == 0


async def test_412_is_a_failure_and_the_next_attempt_may_do_better(app: App) -> None:
    await app.subscribe()
    app.endpoint.status = 412
    await app.buy("RED-CLOCK")
    await app.clock.advance(10)
    while not app.endpoint.got:  # noqa: ASYNC110  the endpoint is asked in real time
        await asyncio.sleep(0.01)
    app.endpoint.status = 204
    await pass_time(app)

    counts = await webhooks(app)
    assert (counts["failed"], counts["sent"]) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "deliveries", "verify"),
    [
        ("webhook_drop", 0, set()),
        ("webhook_duplicate", 2, {True}),
        ("webhook_forged", 1, {False}),
    ],
)
async def test_what_goes_wrong_on_the_way(app: App, fault: str, deliveries: int, verify: set[bool]) -> None:
    await app.subscribe()
    await app.control("faults", **{fault: 1})
    await app.buy("RED-CLOCK")
    await pass_time(app)

    assert len(app.endpoint.got) == deliveries
    assert {await app.verifies(request) for request in app.endpoint.got} == verify
    assert len({body["notification"]["notificationId"] for body in app.endpoint.bodies()}) <= 1
    counts = await webhooks(app)
    assert (counts["dropped"], counts["duplicated"], counts["forged"]) == (
        int(fault == "webhook_drop"),
        int(fault == "webhook_duplicate"),
        int(fault == "webhook_forged"),
    )


async def test_late_news_is_overtaken(app: App) -> None:
    await app.subscribe()
    await app.control("faults", webhook_late=0.5)
    orders = [await app.buy("RED-CLOCK") for _ in range(8)]
    await pass_time(app)

    told = [body["notification"]["data"]["order"]["orderId"] for body in app.endpoint.bodies()]

    assert sorted(told) == sorted(orders)
    assert told != orders


async def test_a_subscription_can_be_tested_also_while_disabled(app: App) -> None:
    path = f"{NOTIFICATION}/subscription/{await app.subscribe()}"
    await app.call("POST", f"{path}/disable")
    await app.buy("RED-CLOCK")

    tested = await app.http.post(f"{path}/test", headers={"Authorization": f"Bearer {app.token}"})
    await pass_time(app)

    assert tested.status_code == 202
    (body,) = app.endpoint.bodies()
    assert body["notification"]["notificationId"] == tested.json()["notificationId"]
    assert body["notification"]["data"]["order"]["orderId"] == "00-00000-00000"
    assert await app.verifies(app.endpoint.got[0])


async def test_a_removed_subscription_is_told_nothing_more(app: App) -> None:
    subscription = await app.subscribe()
    await app.buy("RED-CLOCK")
    await app.call("DELETE", f"{NOTIFICATION}/subscription/{subscription}")
    await pass_time(app)

    assert app.endpoint.got == []


async def test_an_unknown_key_is_not_found(app: App) -> None:
    answer = await app.call("GET", f"{NOTIFICATION}/public_key/another", as_app=True)

    assert error_id(answer) == (404, 195001)


async def test_the_key_lies_on_one_line(app: App) -> None:
    await app.subscribe()
    await app.buy("RED-CLOCK")
    await pass_time(app)
    kid = json.loads(base64.b64decode(app.endpoint.got[0].headers["X-EBAY-SIGNATURE"]))["kid"]

    key = await app.get(f"{NOTIFICATION}/public_key/{kid}", as_app=True)

    assert "\n" not in key["key"]
    assert key["key"].startswith("-----BEGIN PUBLIC KEY-----MFkw")
    assert (key["algorithm"], key["digest"]) == ("ECDSA", "SHA1")


async def test_one_seed_repeats_what_is_told_and_when(opened: Opened) -> None:
    runs = []
    for _ in range(2):
        app = await opened.app()
        await app.subscribe()
        await app.control("faults", webhook_late=0.5, webhook_duplicate=0.5)
        for _ in range(4):
            await app.buy("RED-CLOCK")
        await pass_time(app)
        runs.append([body["notification"]["notificationId"] for body in app.endpoint.bodies()])

    assert runs[0] == runs[1]
    assert len(runs[0]) >= 4
