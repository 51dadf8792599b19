"""Quotas of a day, and everything that can go wrong with one request."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.contract.ebay_sandbox.kit import BULK, INVENTORY, ORDER, TOKEN_PATH, App, Opened, error_id

TOO_MANY = {
    "errors": [
        {
            "errorId": 2001,
            "domain": "ACCESS",
            "category": "REQUEST",
            "message": "Too many requests.",
            "longMessage": "The request limit has been reached for the resource.",
        }
    ]
}


# --- quotas ------------------------------------------------------------------------------------------------------


async def test_a_used_up_quota_answers_429_until_midnight_in_california(opened: Opened) -> None:
    app = await opened.app(daily_quotas={"sell.fulfillment": 2})

    answers = [await app.call("GET", ORDER) for _ in range(3)]
    other = await app.call("GET", f"{INVENTORY}/inventory_item")
    await app.clock.advance(20 * 3600)  # 2026-11-22T12:00Z is 04:00 there
    await app.sign_in()
    fresh = await app.call("GET", ORDER)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == TOO_MANY
    assert "Retry-After" not in answers[2].headers
    assert (other.status_code, fresh.status_code) == (200, 200)
    assert (await app.report("stats"))["throttled"] == 1


async def test_analytics_tell_what_is_left_and_when_it_is_renewed(app: App) -> None:
    await app.call("GET", ORDER)

    told = await app.get(
        "/developer/analytics/v1_beta/rate_limit/", as_app=True, api_context="sell", api_name="fulfillment"
    )

    (limit,) = told["rateLimits"]
    assert (limit["apiContext"], limit["apiName"]) == ("sell", "fulfillment")
    (resource,) = limit["resources"]
    assert resource["name"] == "sell.fulfillment"
    assert resource["rates"] == [
        {
            "count": 1,
            "limit": 100_000,
            "remaining": 99_999,
            "reset": "2026-11-23T08:00:00.000Z",
            "timeWindow": 86_400,
        }
    ]


async def test_analytics_of_everything_and_of_nothing(app: App) -> None:
    path = "/developer/analytics/v1_beta/rate_limit/"
    everything = await app.get(path, as_app=True)
    nothing = await app.call("GET", path, as_app=True, api_name="bananas")
    by_seller = await app.call("GET", path)

    names = [limit["resources"][0]["name"] for limit in everything["rateLimits"]]
    assert names == [
        "sell.inventory",
        "sell.fulfillment",
        "sell.account",
        "commerce.notification",
        "developer.analytics",
    ]
    assert nothing.status_code == 204
    assert error_id(by_seller) == (403, 1100)


async def test_tokens_are_minted_so_often_a_day(opened: Opened) -> None:
    app = await opened.app(daily_quotas={"oauth.client_credentials": 2})

    answers = [await app.ask_token(grant_type="client_credentials") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("rate_limit", (429, 2001)),
        ("server_error", (500, 25001)),
        ("concurrent_access", (500, 25025)),
        ("token_expiry", (401, 1001)),
    ],
)
async def test_a_refused_write_has_no_effect(app: App, fault: str, told: tuple[int, int]) -> None:
    entry = await app.entry("RED-CLOCK", 3, 3)
    await app.meet(fault, "bulk_update_price_quantity")

    assert error_id(await app.write(entry)) == told
    assert await app.numbers("RED-CLOCK") == (10, 10, 10)
    assert (await app.report("stats"))["faults"] == {fault: 1}


@pytest.mark.parametrize(("fault", "status"), [("unavailable", 503), ("forbidden_page", 403)])
async def test_the_gateway_answers_with_a_page(app: App, fault: str, status: int) -> None:
    entry = await app.entry("RED-CLOCK", 3, 3)
    await app.meet(fault)

    answer = await app.write(entry)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert await app.numbers("RED-CLOCK") == (10, 10, 10)


async def test_each_api_has_its_own_system_error(app: App) -> None:
    await app.meet("server_error", times=3)

    orders = await app.call("GET", ORDER)
    items = await app.call("GET", f"{INVENTORY}/inventory_item")
    topics = await app.call("GET", "/commerce/notification/v1/topic", as_app=True)

    assert [error_id(answer) for answer in (orders, items, topics)] == [(500, 30500), (500, 25001), (500, 195000)]


async def test_a_lost_reply_leaves_the_write_applied(app: App) -> None:
    entry = await app.entry("RED-CLOCK", 3, 3)
    await app.meet("lost_reply", "bulk_update_price_quantity")

    with pytest.raises(httpx.RemoteProtocolError):
        await app.write(entry)

    assert await app.numbers("RED-CLOCK") == (3, 3, 3)


async def test_half_an_answer_leaves_the_write_applied(app: App) -> None:
    entry = await app.entry("RED-CLOCK", 3, 3)
    await app.meet("truncated_json")

    answer = await app.http.post(BULK, json={"requests": [entry]}, headers={"Authorization": f"Bearer {app.token}"})

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert await app.numbers("RED-CLOCK") == (3, 3, 3)


async def test_a_hanging_request_is_dropped_without_effect(app: App) -> None:
    entry = await app.entry("RED-CLOCK", 3, 3)
    await app.meet("timeout", "bulk_update_price_quantity")

    hanging = asyncio.ensure_future(app.write(entry))
    await app.clock.someone_sleeps()
    await app.clock.advance(30)
    with pytest.raises(httpx.RemoteProtocolError):
        await hanging

    assert await app.numbers("RED-CLOCK") == (10, 10, 10)


async def test_a_row_fails_by_itself(app: App) -> None:
    entries = [await app.entry(sku, 3, 3) for sku in ("RED-CLOCK", "BLUE-CLOCK")]
    await app.meet("row_failure")

    rows = await app.rows(*entries)

    assert sorted(row[1:] for row in rows) == [(200, None), (500, 25001)]
    numbers = [await app.numbers("RED-CLOCK"), await app.numbers("BLUE-CLOCK")]
    written = [row[1] == 200 for row in rows]
    assert [number == (3, 3, 3) for number in numbers] == written


async def test_a_fault_of_writes_waits_for_a_write(app: App) -> None:
    await app.meet("concurrent_access")

    read = await app.call("GET", f"{INVENTORY}/inventory_item")

    assert read.status_code == 200
    assert (await app.report("faults"))["next"] == [{"fault": "concurrent_access", "operation": None}]


async def test_the_token_endpoint_can_fail_too(app: App) -> None:
    await app.meet("server_error", "token")

    answers = [await app.ask_token(grant_type="client_credentials") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 200]


async def test_an_outage_spares_only_the_control_face(app: App) -> None:
    await app.control("faults", down_s=60)
    down = [await app.call("GET", ORDER), await app.http.post(TOKEN_PATH)]
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(60)

    assert [answer.status_code for answer in down] == [503, 503]
    assert [one["orderId"] for one in await app.orders()] == [order]


async def test_clearing_ends_every_fault(app: App) -> None:
    await app.control("faults", down_s=60, lost_reply=1, next=[{"fault": "rate_limit"}])
    await app.control("faults", clear=True)

    assert (await app.call("GET", ORDER)).status_code == 200
    report = await app.report("faults")
    assert (report["lost_reply"], report["down"], report["next"]) == (0, False, [])


async def test_the_same_seed_meets_the_same_faults(opened: Opened) -> None:
    runs = []
    for _ in range(2):
        app = await opened.app()
        await app.control("faults", rate_limit=0.05, server_error=0.05)
        runs.append([(await app.call("GET", ORDER)).status_code for _ in range(100)])

    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 429, 500}


async def test_requests_and_writes_are_counted(app: App) -> None:
    await app.write(await app.entry("RED-CLOCK", 3, 3), await app.entry("BLUE-CLOCK", 1))
    await app.orders()

    stats = await app.report("stats")

    assert stats["requests"]["bulk_update_price_quantity"] == 1
    assert (stats["requests"]["get_offers"], stats["requests"]["get_orders"], stats["requests"]["token"]) == (1, 1, 2)
    assert stats["writes_applied"] == 2
