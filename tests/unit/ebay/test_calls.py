"""Tokens, headers, and the five errors that every failure becomes."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from adapters.contract import AuthExpired, ListingRef, OutcomeUnknown, QuantityWrite, RateLimited, Rejected, Transient
from adapters.ebay import EbayChannel
from adapters.ebay.refusals import MissingScope
from tests.unit.ebay.conftest import settings
from tests.unit.ebay.doubles import (
    EXPIRED,
    ITEMS,
    NO_SCOPE,
    OFFERS,
    ORDERS,
    PREFERENCES,
    TOKEN,
    TOO_MANY,
    UPDATE,
    Answer,
    ScriptedEbay,
    akamai,
    an_offer,
    error,
    granted,
    offers_by_sku,
    ok,
    orders_page,
    refused,
)
from tests.unit.shopify.doubles import FakeClock, SeededRng


async def read(channel: EbayChannel) -> None:
    await channel.fetch_orders(["01-1"])


async def write(channel: EbayChannel) -> Any:
    body = channel.compose_write("p", [QuantityWrite(ListingRef("RED-CLOCK", "EBAY_US"), 3, 3)])
    return await channel.send_write("k", body)


def script_write(ebay: ScriptedEbay, *answers: Answer) -> None:
    ebay.script("GET", OFFERS, offers_by_sku({"RED-CLOCK": [an_offer()]}))
    ebay.script("POST", UPDATE, *answers)


async def test_the_refresh_token_is_traded_once_however_many_ask(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page([]))

    await asyncio.gather(*(read(channel) for _ in range(5)))

    assert ebay.forms() == [{"grant_type": "refresh_token", "refresh_token": "v^1.1#refresh"}]
    basic = base64.b64encode(b"client-1:hush").decode()
    assert ebay.to("POST", TOKEN)[0].headers["Authorization"] == f"Basic {basic}"


async def test_a_call_carries_token_languages_and_marketplace(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page([]))
    script_write(ebay, ok({"responses": []}))

    await read(channel)
    await write(channel)

    got, sent = ebay.to("GET", ORDERS)[0].headers, ebay.to("POST", UPDATE)[0].headers
    assert got["Authorization"] == "Bearer token-1"
    assert (got["Accept-Language"], got["X-EBAY-C-MARKETPLACE-ID"]) == ("en-US", "EBAY_US")
    assert "Content-Language" not in got
    assert (sent["Content-Language"], sent["Content-Type"]) == ("en-US", "application/json")


async def test_a_refused_token_is_replaced_once(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, EXPIRED, orders_page([]))

    await read(channel)

    assert [r.headers["Authorization"] for r in ebay.to("GET", ORDERS)] == ["Bearer token-1", "Bearer token-2"]

    ebay.script("GET", ORDERS, EXPIRED)
    with pytest.raises(AuthExpired, match="1001 Invalid access token"):
        await read(channel)


async def test_a_token_is_renewed_before_its_end(channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock) -> None:
    ebay.script("GET", ORDERS, orders_page([]))
    await read(channel)

    clock.pass_s(7000)
    await read(channel)

    assert len(ebay.forms()) == 2


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (ok({"error": "invalid_grant", "error_description": "v^1.1#refresh is revoked"}, 400), "must consent again"),
        (ok({"error": "invalid_client"}, 401), "client_secret"),
        (ok({"error": "Odd Ann@Buyer"}, 400), "refused"),
        (akamai(400), "HTTP 400"),
        (granted(""), "no token"),
    ],
)
async def test_without_a_token_a_person_must_act(
    channel: EbayChannel, ebay: ScriptedEbay, answer: httpx.Response, text: str
) -> None:
    ebay.script("POST", TOKEN, answer)

    with pytest.raises(AuthExpired, match=text) as caught:
        await read(channel)

    assert "v^1.1#refresh" not in str(caught.value)
    assert "Ann" not in str(caught.value)


async def test_trouble_with_tokens_at_ebay_passes(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, orders_page([]))
    ebay.script("POST", TOKEN, ok({"error": "server_error"}, 500), akamai(503), granted("t"))

    await read(channel)

    assert (len(ebay.forms()), len(ebay.to("GET", ORDERS))) == (3, 1)


async def test_a_missing_scope_says_so_and_costs_no_token(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, NO_SCOPE)

    with pytest.raises(MissingScope, match="lacks a scope"):
        await read(channel)

    assert (len(ebay.to("GET", ORDERS)), len(ebay.forms())) == (1, 1)


@pytest.mark.parametrize("answer", [akamai(503), akamai(403), httpx.ReadTimeout("slow"), refused(500, error(30500))])
async def test_a_read_is_repeated(channel: EbayChannel, ebay: ScriptedEbay, answer: Answer) -> None:
    ebay.script("GET", ORDERS, answer, orders_page([]))
    await read(channel)

    ebay.script("GET", ORDERS, answer)
    with pytest.raises(Transient):
        await read(channel)


async def test_an_unreadable_answer_to_a_read_is_repeated(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, httpx.Response(200, content=b"<html>"), orders_page([]))

    await read(channel)

    assert len(ebay.to("GET", ORDERS)) == 2


async def test_a_used_up_quota_is_not_asked_again_soon(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    ebay.script("GET", ORDERS, TOO_MANY)

    with pytest.raises(RateLimited) as caught:
        await read(channel)

    assert caught.value.retry_after_s == 90
    assert (len(ebay.to("GET", ORDERS)), clock.slept, channel.throttled) == (1, [], 1)


async def test_a_short_wait_that_ebay_names_is_kept(channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock) -> None:
    ebay.script("GET", ORDERS, refused(429, error(2001), Retry_After="4"), orders_page([]))

    await read(channel)

    assert 4 <= clock.slept[0] < 5
    assert channel.throttled == 1


async def test_a_longer_wait_is_the_callers_except_in_a_sweep(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    named = refused(429, error(2001), Retry_After="40")
    ebay.script("GET", ORDERS, named, named, orders_page([]))

    with pytest.raises(RateLimited) as caught:
        await read(channel)
    assert (caught.value.retry_after_s, clock.slept) == (40, [])

    assert [page.events async for page in channel.poll_orders(clock.now())] == [()]
    assert 40 <= sum(clock.slept) < 45


async def test_a_refusal_keeps_field_and_id(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ORDERS, refused(400, error(30800, "Invalid filter", name="filter")))

    with pytest.raises(Rejected) as caught:
        async for _ in channel.poll_orders(FakeClock().now()):
            pass

    assert caught.value.field == "name"
    assert "30800 Invalid filter" in caught.value.reason


@pytest.mark.parametrize(
    "answer",
    [
        refused(500, error(25001)),
        refused(500, error(25025), error(25001)),
        akamai(503),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, content=b"<html>"),
        ok({"odd": 1}),
    ],
)
async def test_a_write_without_a_trustworthy_answer_is_never_repeated(
    channel: EbayChannel, ebay: ScriptedEbay, answer: Answer
) -> None:
    script_write(ebay, answer)

    with pytest.raises(OutcomeUnknown):
        await write(channel)

    assert len(ebay.to("POST", UPDATE)) == 1


@pytest.mark.parametrize("answer", [httpx.ConnectError("down"), akamai(403), refused(500, error(25025))])
async def test_a_write_that_never_arrived_had_no_effect(
    channel: EbayChannel, ebay: ScriptedEbay, answer: Answer
) -> None:
    script_write(ebay, answer)

    with pytest.raises(Transient):
        await write(channel)

    assert len(ebay.to("POST", UPDATE)) == 1


async def test_a_write_told_to_wait_is_counted_and_not_repeated(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script_write(ebay, TOO_MANY)

    with pytest.raises(RateLimited):
        await write(channel)

    assert (len(ebay.to("POST", UPDATE)), channel.throttled) == (1, 1)


async def test_a_write_with_an_old_token_is_sent_again_with_a_new_one(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    row = {"sku": "RED-CLOCK", "offerId": "offer-RED-CLOCK", "statusCode": 200}
    script_write(ebay, EXPIRED, ok({"responses": [row]}))

    assert [result.outcome.value for result in await write(channel)] == ["applied"]


# --- who we are --------------------------------------------------------------------------------------------------


async def test_a_check_names_the_seller_and_what_works(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", ITEMS, ok({"total": 0}))
    ebay.script("GET", ORDERS, orders_page([{"sellerId": "red-clocks"}], 7))
    ebay.script("GET", PREFERENCES, ok({"outOfStockControlPreference": True}))

    identity = await channel.identify()

    assert identity.name == "red-clocks on EBAY_US"
    assert (identity.scopes, identity.missing_scopes) == (("sell.inventory", "sell.fulfillment"), ())
    assert identity.warnings == ()


async def test_a_check_names_missing_scopes_and_a_missing_verification_token(
    ebay: ScriptedEbay, clock: FakeClock
) -> None:
    ebay.script("GET", ITEMS, ok({"total": 0}))
    ebay.script("GET", ORDERS, NO_SCOPE)
    ebay.script("GET", PREFERENCES, ok({"outOfStockControlPreference": True}))

    channel = EbayChannel(settings(verification_token=None), clock, SeededRng(), ebay.transport)

    identity = await channel.identify()

    assert identity.name == "an eBay seller on EBAY_US"
    assert identity.missing_scopes == ("sell.fulfillment",)
    (warning,) = identity.warnings
    assert "polled only" in warning
    await channel.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            ok({"outOfStockControlPreference": False}),
            ["a listing ends when its number becomes 0", "on at My eBay"],
        ),
        (NO_SCOPE, ["could not be checked", "sell.account.readonly", "My eBay"]),
        (refused(404, error(2002)), ["could not be checked", "404"]),
        (akamai(403), ["could not be checked", "403"]),
        (akamai(503), ["could not be checked"]),
        (TOO_MANY, ["could not be checked"]),
        (ok({}), ["could not be checked", "does not say"]),
        (ok({"outOfStockControlPreference": "true"}), ["could not be checked", "does not say"]),
    ],
)
async def test_a_check_warns_of_listings_that_end_at_0(
    channel: EbayChannel, ebay: ScriptedEbay, answer: httpx.Response, told: list[str]
) -> None:
    ebay.script("GET", ITEMS, ok({"total": 0}))
    ebay.script("GET", ORDERS, orders_page([]))
    ebay.script("GET", PREFERENCES, answer)

    (warning,) = (await channel.identify()).warnings

    assert [part for part in told if part not in warning] == []
    asked = ebay.to("GET", PREFERENCES)[0]
    assert dict(asked.url.params) == {"fieldgroups": "OUT_OF_STOCK_CONTROL"}
    assert asked.headers["X-EBAY-C-MARKETPLACE-ID"] == "EBAY_US"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", ""),
        ("client_secret", ""),
        ("refresh_token", ""),
        ("marketplace_id", "US"),
        ("verification_token", "short"),
        ("verification_token", "x" * 40 + "!"),
        ("content_language", "english"),
    ],
)
def test_unusable_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings(**{name: value})


def test_settings_show_no_secret() -> None:
    shown = repr(settings())

    assert "hush" not in shown
    assert "refresh" not in shown.replace("refresh_token", "")
    assert "verify-" not in shown
