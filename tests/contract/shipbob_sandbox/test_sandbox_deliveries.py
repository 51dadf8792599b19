"""Webhooks: who hears of what, how it is signed, and how long the vendor keeps trying."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.shipbob.sandbox import FaultMix
from adapters.shipbob.sandbox.deliveries import RETRY_DELAYS_S
from tests.contract.shipbob_sandbox.kit import HOOK, PICK_S, SECRET, SHIP_S, Account, Opened, settle

ALL = ["order.shipped", "order.shipment.exception", "order.shipment.on_hold", "order.shipment.cancelled"]


async def subscribe(account: Account, *topics: str, **more: Any) -> dict[str, Any]:
    answer = await account.post("webhook", {"url": HOOK, "topics": list(topics or ALL), "secret": SECRET, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_thing_that_happens_is_told_to_who_subscribed(account: Account) -> None:
    await subscribe(account)
    for number in range(3):
        await account.placed(f"syncd-{number}")
    await account.placed("syncd-3", quantity=11)
    await account.control("orders/syncd-0/ship")
    await account.control("orders/syncd-1/exception", reason="InvalidAddress", status="on_hold")
    await account.control("orders/syncd-2/cancel")

    await account.clock.advance(10)

    assert sorted(account.mail.topics()) == sorted(ALL)
    assert (await account.report("stats"))["webhooks"]["sent"] == 4


async def test_a_topic_that_nobody_subscribed_to_is_told_to_nobody(account: Account) -> None:
    await subscribe(account, "order.shipment.cancelled")
    await account.placed()

    await account.clock.advance(PICK_S + SHIP_S + 10)

    assert account.mail.got == []


async def test_a_delivery_is_signed_as_our_adapter_verifies_it(account: Account) -> None:
    await subscribe(account)
    await account.placed()
    await account.clock.advance(PICK_S + SHIP_S + 10)

    (request,) = account.mail.got

    assert account.warehouse.verify_webhook(dict(request.headers), request.content) == "order.shipped"
    assert b"syncd-1" in request.content


async def test_a_secret_is_made_when_none_is_given_and_shown_once(account: Account) -> None:
    made = (await account.post("webhook", {"url": HOOK, "topics": ALL})).json()
    (listed,) = (await account.get("webhook")).json()["items"]

    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 38
    assert "secret" not in listed
    assert (listed["id"], listed["enabled"]) == (made["id"], True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://x", "topics": ALL}, "url"),
        ({"url": HOOK, "topics": []}, "topics"),
        ({"url": HOOK, "topics": ["order.lost"]}, "topics"),
        ({"url": HOOK, "topics": ALL, "secret": "hush"}, "secret"),
        (None, "url"),
    ],
)
async def test_a_subscription_that_cannot_work_is_a_422(account: Account, body: object, field: str) -> None:
    answer = await account.post("webhook", body)

    assert (answer.status_code, list(answer.json())) == (422, [field])


async def test_a_subscription_that_is_deleted_hears_nothing_more(account: Account) -> None:
    made = await subscribe(account)
    await account.placed("syncd-1")
    await account.control("orders/syncd-1/ship")
    path = f"/2026-01/webhook/{made['id']}"

    deleted = [(await account.http.delete(path, headers=account.headers)).status_code for _ in range(2)]
    await account.clock.advance(10)

    assert (deleted, account.mail.got) == ([204, 404], [])


async def test_a_delivery_is_retried_with_the_same_id_and_a_signature_of_its_own(account: Account) -> None:
    await subscribe(account)
    account.mail.status = 503
    await account.placed()
    await account.control("orders/syncd-1/ship")
    await account.clock.advance(10)
    account.mail.status = 200
    await account.clock.advance(300)

    tries = account.mail.got
    assert len(tries) >= 2
    assert len({request.headers["webhook-id"] for request in tries}) == 1
    assert len({request.headers["webhook-timestamp"] for request in tries}) == len(tries)
    assert account.warehouse.verify_webhook(dict(tries[-1].headers), tries[-1].content) == "order.shipped"


async def test_a_subscription_is_switched_off_after_its_last_retry(account: Account) -> None:
    await subscribe(account)
    account.mail.status = 500
    await account.placed()
    await account.control("orders/syncd-1/ship")

    await account.clock.advance(sum(RETRY_DELAYS_S) + 60)
    await settle()

    (listed,) = (await account.get("webhook")).json()["items"]
    assert (len(account.mail.got), listed["enabled"]) == (len(RETRY_DELAYS_S) + 1, False)
    assert (await account.report("truth"))["deliveries_pending"] == 0


@pytest.mark.parametrize(("fault", "arrive", "counted"), [("drop", 0, "dropped"), ("duplicate", 2, "duplicated")])
async def test_deliveries_may_be_dropped_or_come_twice(opened: Opened, fault: str, arrive: int, counted: str) -> None:
    mix = replace(FaultMix.none(), **{f"webhook_{fault}": 1.0})
    account = await opened.account(faults=mix)
    await subscribe(account)
    await account.placed()
    await account.control("orders/syncd-1/ship")

    await account.clock.advance(10)

    assert len(account.mail.got) == arrive
    assert len({request.headers["webhook-id"] for request in account.mail.got}) <= 1
    assert (await account.report("stats"))["webhooks"][counted] == 1
