"""Everything that goes wrong between a client and Amazon, planned and by chance."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from adapters.amazon.sandbox import Fault, FaultMix
from adapters.amazon.sandbox.faults import Faults
from tests.contract.amazon_sandbox.kit import LISTINGS, US, Account, Opened, a_seed, quantity_patch
from tests.unit.shopify_sandbox.kit import SeededRng, SteppingClock

WRITE = "patchListingsItem"


async def test_a_calm_account_fails_nothing(account: Account) -> None:
    answers = []
    for _ in range(50):
        answers.append((await account.get(f"{LISTINGS}/RED-CLOCK", marketplaceIds=US)).status_code)
        await account.clock.advance(1)

    assert set(answers) == {200}
    assert (await account.stats())["faults"] == {}


async def test_an_internal_failure_has_no_effect(account: Account) -> None:
    await account.plan("server_error", operation=WRITE)

    answer = await account.patch("RED-CLOCK", quantity_patch(3))
    await account.clock.advance(61)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (500, "InternalFailure")
    assert await account.live("RED-CLOCK") == 10


async def test_an_unavailable_service_answers_with_a_page(account: Account) -> None:
    await account.plan("unavailable")

    answer = await account.search()

    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_lost_reply_hides_a_write_that_takes_effect(account: Account) -> None:
    await account.plan("lost_reply", operation=WRITE)

    with pytest.raises(httpx.RemoteProtocolError):
        await account.patch("RED-CLOCK", quantity_patch(3))
    await account.clock.advance(61)

    assert await account.live("RED-CLOCK") == 3


async def test_half_an_answer_hides_a_write_that_takes_effect(account: Account) -> None:
    await account.plan("truncated_json", operation=WRITE)

    answer = await account.patch("RED-CLOCK", quantity_patch(3))
    await account.clock.advance(61)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        answer.json()
    assert await account.live("RED-CLOCK") == 3


@pytest.mark.parametrize(("fault", "left"), [("timeout", 10), ("late_reply", 3)])
async def test_a_hanging_request_may_or_may_not_have_taken_effect(account: Account, fault: str, left: int) -> None:
    await account.control("faults", hang_s=0.2)
    await account.plan(fault, operation=WRITE)
    begun = asyncio.get_running_loop().time()

    with pytest.raises(httpx.RemoteProtocolError):
        await account.patch("RED-CLOCK", quantity_patch(3))
    lasted = asyncio.get_running_loop().time() - begun
    await account.clock.advance(61)

    assert 0.15 < lasted < 2
    assert await account.live("RED-CLOCK") == left


async def test_a_storm_throttles_one_operation_for_a_while(account: Account) -> None:
    await account.control("faults", storm_s=60)
    await account.plan("rate_limit", operation="searchOrders")

    first = [(await account.search()).status_code for _ in range(3)]
    other = (await account.get(f"{LISTINGS}/RED-CLOCK", marketplaceIds=US)).status_code
    await account.clock.advance(60)

    assert (first, other) == ([429, 429, 429], 200)
    assert (await account.search()).status_code == 200
    assert (await account.stats())["throttled"] == 3


async def test_a_token_may_die_at_any_request(account: Account) -> None:
    await account.plan("token_expiry")

    answers = [(await account.search()).status_code for _ in range(2)]
    await account.log_in()

    assert answers == [403, 403]
    assert (await account.search()).status_code == 200


async def test_a_stale_read_shows_a_number_as_it_was(opened: Opened) -> None:
    account = await opened.account(a_seed(faults=replace(FaultMix.none(), stale_read=1.0)))
    await account.clock.advance(100)
    await account.buy("RED-CLOCK", 4)
    await account.clock.advance(0.001)

    by_get = {await account.live("RED-CLOCK") for _ in range(5)}
    query = {"marketplaceIds": US, "identifiers": "RED-CLOCK", "identifiersType": "SKU"}
    by_search = (await account.get(LISTINGS, **query, includedData="fulfillmentAvailability")).json()["items"]
    await account.clock.advance(20)

    assert by_get == {10}
    assert by_search[0]["fulfillmentAvailability"][0]["quantity"] == 10
    assert await account.live("RED-CLOCK") == 6


async def test_amazon_may_be_down_for_a_while(account: Account) -> None:
    await account.control("faults", down_s=60)
    down = [(await account.search()).status_code, (await account.log_in()).status_code]
    await account.clock.advance(60)

    assert down == [503, 503]
    assert (await account.search()).status_code == 200


async def test_a_planned_fault_waits_for_its_operation_and_strikes_as_often_as_told(account: Account) -> None:
    await account.plan("server_error", operation="searchOrders", times=2)

    other = await account.get(f"{LISTINGS}/RED-CLOCK", marketplaceIds=US)
    hit = [(await account.search()).status_code for _ in range(3)]

    assert other.status_code == 200
    assert hit == [500, 500, 200]
    assert (await account.stats())["faults"] == {"server_error": 2}


async def test_a_fault_planned_for_the_api_is_not_taken_by_the_queue(account: Account) -> None:
    await account.plan("server_error")

    queue = await account.queue("ReceiveMessage")

    assert queue.status_code == 200
    assert (await account.search()).status_code == 500


async def test_the_queue_fails_by_plan_in_its_own_shape(account: Account) -> None:
    await account.plan("server_error", operation="ReceiveMessage")

    answer = await account.queue("ReceiveMessage")

    assert (answer.status_code, answer.json()["__type"]) == (500, "com.amazonaws.sqs#InternalFailure")
    assert answer.headers["x-amzn-query-error"] == "InternalFailure;Receiver"


async def test_clearing_ends_outages_storms_and_plans(account: Account) -> None:
    await account.plan("rate_limit", operation="searchOrders")
    await account.search()
    await account.control("faults", server_error=1.0, down_s=600, next=[{"fault": "unavailable"}])
    report = await account.control("faults", clear=True)

    assert (report["down"], report["next"], report["server_error"]) == (False, [], 0.0)
    assert (await account.search()).status_code == 200


def test_faults_come_as_often_as_their_probability_says() -> None:
    mix = replace(FaultMix.none(), lost_reply=0.1, server_error=0.2)
    faults = Faults(mix, SteppingClock(), SeededRng())

    met = Counter(faults.draw("getOrder") for _ in range(10_000))

    assert 900 < met[Fault.LOST_REPLY] < 1100
    assert 1850 < met[Fault.SERVER_ERROR] < 2150
    assert set(met) == {None, Fault.LOST_REPLY, Fault.SERVER_ERROR}


def test_every_fault_has_its_probability_and_every_field_its_kind() -> None:
    assert {fault.value for fault in Fault} <= set(FaultMix.probabilities())
    assert all(name.endswith("_s") for name in FaultMix.durations())


def test_the_default_mix_is_light() -> None:
    mix = FaultMix()

    assert 0 < sum(getattr(mix, fault.value) for fault in Fault) < 0.03


def test_no_fault_is_left_when_there_are_none() -> None:
    assert {getattr(FaultMix.none(), name) for name in FaultMix.probabilities()} == {0.0}
