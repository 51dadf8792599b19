"""Everything that goes wrong between an app and the shop, planned and by chance."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import Fault, FaultMix
from adapters.shopify.sandbox.faults import Faults
from tests.unit.shopify_sandbox.documents import SET
from tests.unit.shopify_sandbox.kit import App, Opened, SeededRng, SteppingClock, a_seed, write_of

SHOP = "{ shop { id } }"
LEVEL = """query Level($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryItem {
  inventoryLevels(first: 1) { nodes { quantities(names: ["available"]) { quantity } } } } } }"""


async def plan(app: App, fault: str, **more: Any) -> None:
    await app.control("faults", next=[{"fault": fault, **more}])


async def available(app: App, sku: str) -> int:
    (item,) = (await app.data(LEVEL, ids=[(await app.level(sku))["item"]]))["nodes"]
    found: int = item["inventoryLevels"]["nodes"][0]["quantities"][0]["quantity"]
    return found


async def write(app: App, sku: str, quantity: int, change_from: int, key: str = "k") -> httpx.Response:
    row = await app.row(sku, quantity, change_from)
    return await app.send(SET, {"input": write_of(row), "key": key})


async def test_a_calm_shop_fails_nothing(app: App) -> None:
    answers = [await app.send(SHOP) for _ in range(50)]

    assert {answer.status_code for answer in answers} == {200}
    assert (await app.stats())["faults"] == {}


async def test_too_many_requests_come_with_a_time_to_wait(app: App) -> None:
    await plan(app, "rate_limit")

    answer = await app.send(SHOP)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")


async def test_a_server_error_has_no_effect(app: App) -> None:
    await plan(app, "server_error", operation="inventorySetQuantities")

    answer = await write(app, "RED-CLOCK", 3, change_from=10)

    assert answer.status_code == 500
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)


async def test_an_unavailable_shop_answers_with_a_page(app: App) -> None:
    await plan(app, "unavailable")

    answer = await app.send(SHOP)

    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_an_internal_error_is_a_200_with_a_code(app: App) -> None:
    await plan(app, "internal_error")

    (error,) = (await app.ask(SHOP))["errors"]

    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["requestId"] in error["message"]


async def test_half_an_answer_hides_a_write_that_took_effect(app: App) -> None:
    await plan(app, "truncated_json", operation="inventorySetQuantities")

    answer = await write(app, "RED-CLOCK", 3, change_from=10)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        answer.json()
    assert await app.numbers("RED-CLOCK") == (3, 0, 3)


async def test_a_lost_reply_hides_a_write_that_took_effect_and_its_key_finds_it_again(app: App) -> None:
    await plan(app, "lost_reply", operation="inventorySetQuantities")

    with pytest.raises(httpx.RemoteProtocolError):
        await write(app, "RED-CLOCK", 3, change_from=10)
    taken = await app.numbers("RED-CLOCK")
    again = await write(app, "RED-CLOCK", 3, change_from=10)

    assert taken == (3, 0, 3)
    assert again.json()["data"]["inventorySetQuantities"]["userErrors"] == []
    assert (await app.stats())["writes_applied"] == 1


async def test_a_timeout_hangs_and_has_no_effect(app: App) -> None:
    await plan(app, "timeout", operation="inventorySetQuantities")
    hanging = asyncio.create_task(write(app, "RED-CLOCK", 3, change_from=10))
    await app.clock.someone_sleeps()

    await app.clock.advance(30)

    with pytest.raises(httpx.RemoteProtocolError):
        await hanging
    assert await app.numbers("RED-CLOCK") == (10, 0, 10)


async def test_a_token_may_die_at_any_request(app: App) -> None:
    seed = a_seed()
    credentials = {
        "client_id": seed.client_id,
        "client_secret": seed.client_secret,
        "grant_type": "client_credentials",
    }
    app.token = (await app.http.post("/admin/oauth/access_token", json=credentials)).json()["access_token"]
    await plan(app, "token_expiry")

    answers = [await app.send(SHOP), await app.send(SHOP)]

    assert [one.status_code for one in answers] == [401, 401]


async def test_a_stale_read_shows_a_level_as_it_was(opened: Opened) -> None:
    app = await opened.app(a_seed(faults=replace(FaultMix.none(), stale_read=1.0, stale_read_s=60)))
    await app.clock.advance(100)
    await app.buy("RED-CLOCK", 4)

    shown = {await available(app, "RED-CLOCK") for _ in range(20)}
    await app.clock.advance(60)

    assert shown == {10}
    assert await available(app, "RED-CLOCK") == 6


async def test_a_shop_may_be_down_for_a_while(app: App) -> None:
    await app.control("faults", down_s=60)
    down = [(await app.send(SHOP)).status_code, (await app.http.post("/admin/oauth/access_token")).status_code]
    await app.clock.advance(60)

    assert down == [503, 503]
    assert (await app.send(SHOP)).status_code == 200


async def test_a_planned_fault_waits_for_its_operation_and_strikes_as_often_as_told(app: App) -> None:
    await plan(app, "server_error", operation="shop", times=2)

    other = await app.send("{ publicApiVersions { handle } }")
    hit = [(await app.send(SHOP)).status_code for _ in range(3)]

    assert other.status_code == 200
    assert hit == [500, 500, 200]
    assert (await app.stats())["faults"] == {"server_error": 2}


async def test_probabilities_are_switched_while_the_shop_runs(app: App) -> None:
    report = await app.control("faults", server_error=1.0, webhook_delay_max_s=60)
    failing = (await app.send(SHOP)).status_code
    await app.control("faults", clear=True)

    assert (report["server_error"], report["webhook_delay_max_s"], report["lost_reply"]) == (1.0, 60.0, 0.0)
    assert failing == 500
    assert (await app.send(SHOP)).status_code == 200


def test_faults_come_as_often_as_their_probability_says() -> None:
    mix = replace(FaultMix.none(), lost_reply=0.1, server_error=0.2)
    faults = Faults(mix, SteppingClock(), SeededRng())

    met = Counter(faults.draw([]) for _ in range(10_000))

    assert 900 < met[Fault.LOST_REPLY] < 1100
    assert 1850 < met[Fault.SERVER_ERROR] < 2150
    assert set(met) == {None, Fault.LOST_REPLY, Fault.SERVER_ERROR}


def test_every_fault_has_its_probability() -> None:
    assert {fault.value for fault in Fault} <= set(FaultMix.probabilities())


def test_the_default_mix_is_light() -> None:
    mix = FaultMix()

    assert 0 < sum(getattr(mix, fault.value) for fault in Fault) < 0.02
