"""One call: token, quota, and every way of saying no."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.amazon import AmazonChannel
from adapters.contract import AdapterError, AuthExpired, ListingRef, RateLimited, Rejected, Transient
from tests.unit.amazon.builders import a_listing, a_page
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import NOW, FakeClock, ScriptedAmazon, granted, ok, refused, throttled

REF = ListingRef("RED-CLOCK", "DEFAULT")
READ_OK = ok(a_page(a_listing()))
DENIED = refused(403, "Unauthorized", "Access to requested resource is denied.", "The access token is expired.")


async def read(channel: AmazonChannel) -> int | None:
    return (await channel.read_quantities([REF]))[0].quantity


async def poll(channel: AmazonChannel) -> int:
    return sum([len(page.events) async for page in channel.poll_orders(NOW)])


# --- tokens ------------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_with_the_refresh_token(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", READ_OK)

    assert await asyncio.gather(*(read(channel) for _ in range(3))) == [7, 7, 7]

    assert amazon.token_requests == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "Atzr|hush",
            "client_id": "client-1",
            "client_secret": "hush",
        }
    ]
    assert {request.headers["x-amz-access-token"] for request in amazon.requests} == {"Atza|1"}


async def test_a_token_is_renewed_before_its_hour_is_over(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.tokens = [granted("Atza|1"), granted("Atza|2")]
    amazon.script("searchListingsItems", READ_OK)

    await read(channel)
    clock.pass_s(2879)
    await read(channel)
    clock.pass_s(2)
    await read(channel)

    assert [r.headers["x-amz-access-token"] for r in amazon.requests] == ["Atza|1", "Atza|1", "Atza|2"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_replaced_once(channel: AmazonChannel, amazon: ScriptedAmazon, status: int) -> None:
    amazon.tokens = [granted("Atza|1"), granted("Atza|2")]
    amazon.script("searchListingsItems", refused(status), READ_OK)

    assert await read(channel) == 7

    assert [r.headers["x-amz-access-token"] for r in amazon.requests] == ["Atza|1", "Atza|2"]


async def test_a_refused_second_token_needs_a_person(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", DENIED)

    with pytest.raises(AuthExpired, match="Access to requested resource is denied"):
        await read(channel)

    assert len(amazon.requests) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_grant"), (401, "invalid_client"), (400, "unauthorized_client"), (403, "access_denied")],
)
async def test_refused_credentials_need_a_person(
    channel: AmazonChannel, amazon: ScriptedAmazon, status: int, code: str
) -> None:
    amazon.tokens = [httpx.Response(status, json={"error": code, "error_description": "about the grant"})]

    with pytest.raises(AuthExpired, match=f"{code}.*authorise the application again"):
        await read(channel)

    assert (len(amazon.token_requests), amazon.requests) == (1, [])


@pytest.mark.parametrize("grant", [{}, {"access_token": ""}, {"access_token": "t", "expires_in": 0}, []])
async def test_an_unusable_grant_is_an_error(channel: AmazonChannel, amazon: ScriptedAmazon, grant: object) -> None:
    amazon.tokens = [httpx.Response(200, json=grant)]

    with pytest.raises((AuthExpired, Transient)):
        await read(channel)


@pytest.mark.parametrize("answer", [httpx.Response(503, text="<html>"), httpx.ConnectError("no")])
async def test_an_unreachable_token_endpoint_may_be_asked_again(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: Any
) -> None:
    amazon.tokens = [answer, granted("Atza|1")]
    amazon.script("searchListingsItems", READ_OK)

    assert await read(channel) == 7

    amazon.tokens = [answer]
    assert await read(channel) == 7  # the token that lives still serves


def test_secrets_do_not_show() -> None:
    shown = repr(settings())

    assert "hush" not in shown
    assert "client-1" in shown


async def test_nothing_logged_carries_a_secret_or_a_body(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchOrders", refused(401), httpx.Response(502, text="<html>Steve Shipper</html>"))

    with capture_logs() as logs, pytest.raises(Transient):
        await poll(channel)

    assert logs
    for word in ("hush", "Atza|1", "Steve"):
        assert word not in str(logs)


# --- errors ------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[str, Any, type[AdapterError]]] = [
    ("bad input", refused(400), Rejected),
    ("a digit for a code", refused(400, "400"), Rejected),
    ("unknown path", refused(404, "NotFound"), Rejected),
    ("too large", refused(413), Rejected),
    ("wrong type", refused(415), Rejected),
    ("moved", httpx.Response(301, headers={"Location": "https://elsewhere.example"}), Rejected),
    ("denied", DENIED, AuthExpired),
    ("the gateway's denial", httpx.Response(403, json={"message": "Forbidden"}), AuthExpired),
    ("quota", throttled(), RateLimited),
    ("quota as html", httpx.Response(429, text="<html>"), RateLimited),
    ("internal failure", refused(500, "InternalFailure"), Transient),
    ("maintenance", httpx.Response(503, text="<html>Service Unavailable</html>"), Transient),
    ("gateway timeout", httpx.Response(504, json={"message": "Endpoint request timed out"}), Transient),
    ("html with 200", httpx.Response(200, text="<html>"), Transient),
    ("a message with 200", httpx.Response(200, json={"message": "Forbidden"}), Transient),
    ("errors with 200", httpx.Response(200, json={"errors": [{"code": "InternalFailure"}]}), Transient),
    ("an array with 200", httpx.Response(200, json=[]), Transient),
    ("truncated", httpx.Response(200, content=b'{"orders":[{"ord'), Transient),
    ("deep", httpx.Response(200, content=b"[" * 100_000), Transient),
    ("empty", httpx.Response(200), Transient),
    ("connect", httpx.ConnectError("no"), Transient),
    ("read timeout", httpx.ReadTimeout("no"), Transient),
]


@pytest.mark.parametrize(("answer", "kind"), [pytest.param(a, kind, id=name) for name, a, kind in REFUSALS])
async def test_every_refusal_of_a_read_is_one_of_the_five(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: Any, kind: type[AdapterError]
) -> None:
    amazon.script("searchOrders", answer)

    with pytest.raises(kind):
        await poll(channel)


async def test_a_refusal_says_what_amazon_said(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchOrders", refused(400, "InvalidInput", "The input you have submitted is not valid."))

    with pytest.raises(Rejected, match=r"not valid") as told:
        await poll(channel)

    assert told.value.field == "InvalidInput"


async def test_an_outage_is_never_an_empty_answer(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchOrders", httpx.Response(503, text="<html>"), ok({"orders": []}))

    assert await poll(channel) == 0
    assert len(amazon.requests) == 2


async def test_a_get_carries_no_body(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", READ_OK)

    await read(channel)

    (request,) = amazon.requests
    assert request.content == b""
    assert "content-type" not in request.headers


# --- quota -------------------------------------------------------------------------------------------------------


async def test_a_throttled_call_waits_one_tokens_time_and_counts(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("searchOrders", throttled(), ok({"orders": []}))

    await poll(channel)

    assert sum(clock.slept) >= 1 / 0.0056
    assert sum(clock.slept) < 1.2 / 0.0056
    assert channel.throttled == 1


async def test_a_throttled_call_says_how_long_to_wait(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", throttled())

    with pytest.raises(RateLimited) as told:
        await read(channel)

    assert told.value.retry_after_s == pytest.approx(0.2)
    assert channel.throttled == len(amazon.requests) == 4


async def test_a_long_wait_is_the_callers_except_in_a_sweep(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing()), rate="0.5"))
    await read(channel)
    amazon.script("searchListingsItems", throttled(), READ_OK)
    amazon.script("searchOrders", throttled(), ok({"orders": []}))

    assert await read(channel) == 7  # a token takes 2 s
    short = sum(clock.slept)
    await poll(channel)  # a token takes 3 minutes

    assert 2 <= short < 5
    assert sum(clock.slept) - short >= 1 / 0.0056


async def test_a_read_that_lasts_too_long_is_broken_off(
    channel: AmazonChannel, amazon: ScriptedAmazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError

    monkeypatch.setattr("adapters.amazon.listings.CALL_REAL_S", 0.1)
    channel._api._http._client._transport = httpx.MockTransport(hang)

    async with asyncio.timeout(30.0):
        with pytest.raises(Transient, match=r"no end within 0\.1 s"):
            await read(channel)


async def test_the_rate_that_an_answer_names_is_kept_to(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing()), rate="1.0"))

    for _ in range(7):
        await read(channel)

    assert sum(clock.slept) == pytest.approx(2.0, abs=0.05)


async def test_each_operation_has_a_quota_of_its_own(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("searchListingsItems", READ_OK)
    amazon.script("searchOrders", ok({"orders": []}))

    for _ in range(5):
        await read(channel)
        await poll(channel)

    assert clock.slept == []
