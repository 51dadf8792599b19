"""Tokens, channels, the window of calls, and everything that goes wrong between a client and the vendor."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import msgspec
import pytest

from adapters.shipbob.sandbox import Fault, FaultMix, WarehouseSeed
from adapters.shipbob.sandbox.faults import Faults
from tests.contract.shipbob_sandbox.kit import Account, Opened, order_form
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock


async def test_a_wrong_token_is_a_401_and_a_wrong_channel_a_403(account: Account) -> None:
    wrong = [{}, {"Authorization": "Bearer x"}, {"Authorization": account.seed.token}]
    answers = [await account.http.get("/2026-01/location", headers=headers) for headers in wrong]
    account.headers["shipbob_channel_id"] = "1"

    assert {answer.status_code for answer in answers} == {401}
    assert (await account.get("location")).status_code == 403


async def test_an_order_needs_the_channel(account: Account) -> None:
    del account.headers["shipbob_channel_id"]

    assert (await account.get("order")).status_code == 200
    assert (await account.place()).status_code == 400


async def test_a_revoked_token_opens_nothing_until_it_is_given_back(account: Account) -> None:
    await account.control("tokens/expire")
    refused = (await account.get("location")).status_code
    await account.control("tokens/expire", refused=False)

    assert (refused, (await account.get("location")).status_code) == (401, 200)


async def test_the_account_shows_its_channel_and_its_locations(account: Account) -> None:
    (channel,) = (await account.get("channel")).json()["items"]
    (location,) = (await account.get("location")).json()

    assert (channel["id"], "orders_write" in channel["scopes"]) == (account.seed.channel_id, True)
    assert (location["id"], location["name"]) == (account.seed.location_id, account.seed.location_name)


async def test_the_window_of_calls_is_real_and_slides(opened: Opened) -> None:
    account = await opened.account(calls_a_minute=3)
    first = [(await account.get("location")).headers["x-remaining-calls"] for _ in range(2)]
    await account.clock.advance(40)
    third = await account.get("location")
    refused = await account.get("location")
    await account.clock.advance(20)
    later = [(await account.get("location")).status_code for _ in range(3)]

    assert (first, third.status_code) == (["2", "1"], 200)
    assert (refused.status_code, refused.headers["x-retry-after"]) == (429, "20")
    assert refused.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 20 seconds."}
    assert later == [200, 200, 429]
    assert (await account.report("stats"))["throttled"] == 2


# --- faults --------------------------------------------------------------------------------------------------------


async def test_a_calm_account_fails_nothing(account: Account) -> None:
    assert {(await account.get("location")).status_code for _ in range(50)} == {200}
    assert (await account.report("stats"))["faults"] == {}


@pytest.mark.parametrize(("fault", "status"), [("server_error", 500), ("unavailable", 503), ("rate_limit", 429)])
async def test_a_failure_before_the_account_has_no_effect(account: Account, fault: str, status: int) -> None:
    await account.meets(fault, "order.create")

    assert (await account.place()).status_code == status
    assert (await account.report("truth"))["shipments"] == []


async def test_an_unavailable_account_answers_with_a_page(account: Account) -> None:
    await account.meets("unavailable", "location.list")

    answer = await account.get("location")

    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_lost_reply_hides_an_order_that_was_taken(account: Account) -> None:
    await account.meets("lost_reply", "order.create")

    with pytest.raises(httpx.RemoteProtocolError):
        await account.place()

    assert [one["reference"] for one in (await account.report("truth"))["shipments"]] == ["syncd-1"]
    assert (await account.place()).status_code == 422


async def test_half_an_answer_hides_an_order_that_was_taken(account: Account) -> None:
    await account.meets("truncated_json", "order.create")

    answer = await account.place()

    assert answer.status_code == 201
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer.content)
    assert await account.numbers("RED") == (10, 1, 9)


async def test_a_timeout_hangs_and_has_no_effect(account: Account) -> None:
    await account.meets("timeout", "order.create")
    hanging = asyncio.create_task(account.post("order", order_form()))
    await account.clock.someone_sleeps()

    await account.clock.advance(30)

    with pytest.raises(httpx.RemoteProtocolError):
        await hanging
    assert (await account.report("truth"))["shipments"] == []


async def test_an_account_may_be_down_for_a_while(account: Account) -> None:
    await account.control("faults", down_s=60)
    down = (await account.get("location")).status_code
    await account.clock.advance(60)

    assert (down, (await account.get("location")).status_code) == (503, 200)


async def test_probabilities_are_switched_while_the_account_runs(account: Account) -> None:
    report = await account.control("faults", server_error=1.0, webhook_delay_max_s=60)
    failing = (await account.get("location")).status_code
    cleared = await account.control("faults", clear=True)

    assert (report["server_error"], report["webhook_delay_max_s"], failing) == (1.0, 60.0, 500)
    assert {cleared[name] for name in FaultMix.probabilities()} == {0.0}
    assert (await account.get("location")).status_code == 200


def test_faults_strike_as_often_as_their_probabilities_say_and_the_same_way_again() -> None:
    def met() -> Counter[str]:
        faults = Faults(FaultMix(lost_reply=0.2, server_error=0.1), SteppingClock(), SeededRng(3))
        for _ in range(4000):
            faults.draw("order.create")
        return faults.met

    first = met()

    assert first == met()
    assert 700 < first[Fault.LOST_REPLY] < 900
    assert 330 < first[Fault.SERVER_ERROR] < 470


def test_a_seed_is_read_from_plain_data() -> None:
    given = {
        "token": "t",
        "items": [{"sku": "RED", "on_hand": 3}],
        "ship_after_s": [1, 2],
        "more_locations": [{"id": 9, "name": "East"}],
        "faults": {"lost_reply": 0.5},
    }

    seed = msgspec.convert(given, WarehouseSeed)

    assert (seed.items[0].on_hand, seed.ship_after_s, seed.faults.lost_reply) == (3, (1.0, 2.0), 0.5)


# --- the people's side ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("levels", {"sku": "GREEN", "on_hand": 1}, 400, "sku"),
        ("levels", {"sku": "RED", "on_hand": -1}, 400, "on_hand"),
        ("levels", {"sku": "RED", "on_hand": 1, "location_id": 5}, 400, "location_id"),
        ("levels", {"sku": "RED", "on_hand": 1, "shelf": 5}, 400, "shelf"),
        ("receive", {"sku": "RED", "quantity": 0}, 400, "quantity"),
        ("items", {"items": [{"sku": "RED"}]}, 400, "items[0].sku"),
        ("items", {}, 400, "sku"),
        ("orders/none/ship", {}, 404, "id"),
        ("faults", {"server_error": 2}, 400, "server_error"),
        ("faults", {"next": [{"fault": "fire"}]}, 400, "next[0].fault"),
    ],
)
async def test_wrong_control_input_says_which_field_and_what_would_do(
    account: Account, path: str, body: dict[str, object], status: int, field: str
) -> None:
    answer = await account.http.post(f"/_control/{path}", json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field)
    assert error["problem"]
    assert error["remedy"]


async def test_the_control_face_is_never_down_nor_limited(opened: Opened) -> None:
    account = await opened.account(calls_a_minute=1)
    await account.control("faults", down_s=60, server_error=1.0)

    assert [(await account.http.get("/_control/truth")).status_code for _ in range(5)] == [200] * 5


async def test_people_ship_hold_and_cancel_orders_by_reference_or_id(account: Account) -> None:
    shipped, held, cancelled = [await account.placed(f"syncd-{number}") for number in range(3)]

    await account.control("orders/syncd-0/ship")
    await account.control(f"orders/{held}/exception", reason="InvalidAddress", status="on_hold")
    await account.control("orders/syncd-2/cancel")

    orders = {one["id"]: one["status"] for one in (await account.report("truth"))["shipments"]}
    assert orders == {shipped: "Fulfilled", held: "Exception", cancelled: "Cancelled"}
    assert await account.numbers("RED") == (9, 1, 8)


async def test_a_held_order_stays_where_it_is_until_somebody_ships_it(account: Account) -> None:
    await account.placed()
    await account.clock.advance(600)
    await account.control("orders/syncd-1/exception", reason="InvalidAddress")
    await account.clock.advance(86_400)
    waiting = (await account.report("truth"))["shipments"][0]["status"]

    await account.control("orders/syncd-1/ship")

    assert (waiting, (await account.report("truth"))["shipments"][0]["status"]) == ("Exception", "Fulfilled")
    assert await account.numbers("RED") == (9, 0, 9)


async def test_what_people_cannot_do_is_a_409(account: Account) -> None:
    await account.placed("syncd-1")
    await account.placed("syncd-2", quantity=11)
    await account.control("orders/syncd-1/ship")

    tried = {
        path: (await account.http.post(f"/_control/orders/{path}", json=body)).status_code
        for path, body in {
            "syncd-1/ship": {},
            "syncd-1/cancel": {},
            "syncd-1/exception": {"reason": "x"},
            "syncd-2/ship": {},
        }.items()
    }

    assert set(tried.values()) == {409}
