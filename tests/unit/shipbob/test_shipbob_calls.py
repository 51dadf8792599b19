"""One REST call: the five errors, the window of calls, and what refusals say."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected, Transient
from adapters.shipbob import ShipbobWarehouse, shipbob_traits
from adapters.shipbob.refusals import refused, wait_s
from adapters.shipbob.window import LIMIT, RESERVE, SPARE, Window
from tests.unit.shipbob.doubles import Answer, ScriptedAccount, an_order, item_json, level, levels_page, ok, too_many
from tests.unit.shopify.doubles import NOW, FakeClock, SeededRng

LEVELS = "GET inventory-level/locations"
READ_OK = levels_page(item_json("RED", level(7)))
OPEN_ROOM, URGENT_ROOM = LIMIT - SPARE - RESERVE, LIMIT - SPARE


async def read(warehouse: ShipbobWarehouse) -> int:
    (row,) = [row async for page in warehouse.read_stock() for row in page.rows]
    return row.free


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("x"), Transient),
        (httpx.ReadTimeout("x"), Transient),
        (httpx.Response(500), Transient),
        (httpx.Response(503, text="<html>"), Transient),
        (httpx.Response(200, content=b"{"), Transient),
        (too_many(), RateLimited),
        (httpx.Response(401), AuthExpired),
        (httpx.Response(403), AuthExpired),
        (httpx.Response(400, json={"PageSize": ["too large"]}), Rejected),
        (httpx.Response(404), Rejected),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), Rejected),
    ],
)
async def test_every_failure_of_a_read_is_one_of_the_five_errors(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, answer: Answer, error: type[AdapterError]
) -> None:
    account.script(LEVELS, answer)

    with pytest.raises(error):
        await read(warehouse)

    repeated = error in (Transient, RateLimited)
    assert len(account.requests) == (4 if repeated else 1)


async def test_a_failure_that_passes_is_not_seen(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script(LEVELS, httpx.Response(502), httpx.ConnectError("x"), READ_OK)

    assert await read(warehouse) == 7


async def test_no_secret_and_no_buyer_reaches_the_log(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("POST order", httpx.Response(422, json={"errors": ["Ann Roe of Springfield"]}))
    account.script("GET order", ok([]))

    with capture_logs() as logs, pytest.raises(Rejected):
        await warehouse.submit(an_order())

    assert logs
    for secret in ("hush", "Ann", "Main Street", "Springfield"):
        assert secret not in str(logs)


# --- the limit -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"x_retry_after": "12"}, 12.0), ({"retry_after": "7"}, 7.0), ({}, 25.0), ({"x_retry_after": "soon"}, 25.0)],
)
async def test_a_429_is_waited_for_as_long_as_it_says(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, clock: FakeClock, headers: dict[str, str], seconds: float
) -> None:
    account.script(LEVELS, too_many(**headers), READ_OK)

    assert await read(warehouse) == 7

    assert seconds <= sum(clock.slept) <= seconds * 1.1 + 0.1
    assert warehouse.throttled == 1


def test_a_429_that_says_nothing_is_waited_for_half_a_window() -> None:
    assert wait_s({}, b"<html>slow down</html>", NOW) == 30.0


async def test_a_429_holds_every_other_call_back_too(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, clock: FakeClock
) -> None:
    account.script("POST order/55:cancel", too_many(x_retry_after="90"))
    account.script(LEVELS, READ_OK)

    with pytest.raises(RateLimited) as caught:
        await warehouse.cancel("55")
    await read(warehouse)

    assert caught.value.retry_after_s == 90
    assert clock.now() >= NOW + timedelta(seconds=61)


async def test_calls_within_the_window_do_not_wait(clock: FakeClock) -> None:
    window = Window(clock, SeededRng())

    for _ in range(OPEN_ROOM):
        await window.enter(urgent=False)

    assert clock.slept == []


async def test_a_full_window_is_waited_out_on_the_sellers_clock(clock: FakeClock) -> None:
    window = Window(clock, SeededRng())
    for _ in range(OPEN_ROOM):
        await window.enter(urgent=False)
        clock.pass_s(0.1)

    await window.enter(urgent=False)

    assert clock.now() >= NOW + timedelta(seconds=61)


async def test_the_reserve_is_for_what_cannot_wait(clock: FakeClock) -> None:
    window = Window(clock, SeededRng())
    for _ in range(OPEN_ROOM):
        await window.enter(urgent=False)

    for _ in range(RESERVE):
        await window.enter(urgent=True)
    assert clock.slept == []

    await window.enter(urgent=True)
    assert clock.slept != []


async def test_calls_that_others_made_with_our_token_are_counted(clock: FakeClock) -> None:
    window = Window(clock, SeededRng())
    await window.enter(urgent=False)

    window.note(str(LIMIT - OPEN_ROOM))
    await window.enter(urgent=False)

    assert sum(clock.slept) >= 61


@pytest.mark.parametrize("remaining", [None, "", "many", "-3", "149", "200"])
async def test_a_count_that_says_nothing_new_changes_nothing(clock: FakeClock, remaining: str | None) -> None:
    window = Window(clock, SeededRng())
    await window.enter(urgent=False)

    window.note(remaining)
    for _ in range(OPEN_ROOM - 1):
        await window.enter(urgent=False)

    assert clock.slept == []


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), min_size=300, max_size=400))
def test_no_minute_ever_has_more_calls_than_are_allowed(calls: list[tuple[float, bool]]) -> None:
    async def run() -> list[float]:
        clock = FakeClock()
        window, entered = Window(clock, SeededRng()), []
        for pause_s, urgent in calls:
            clock.pass_s(pause_s / 100)
            await window.enter(urgent=urgent)
            entered.append((clock.now() - NOW).total_seconds())
        return entered

    entered = asyncio.run(run())

    for at, first in enumerate(entered):
        assert sum(first <= later < first + 60 for later in entered[at:]) <= URGENT_ROOM


# --- what refusals say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b'{"errors": ["No such product"]}', "request", "No such product"),
        (b'{"products[0].quantity": ["must be at least 1"]}', "products[0].quantity", "must be at least 1"),
        (b'{"a": ["x"], "b": ["y"]}', "a", "x; b: y"),
        (
            b'{"type": "u", "title": "Bad", "status": 400, "errors": {"PageSize": ["too large"]}}',
            "PageSize",
            "too large",
        ),
        (b'{"title": "Bad", "detail": "LocationId is unknown"}', "request", "LocationId is unknown"),
        (b'"just  a\\n text"', "request", "just a text"),
        (b"<html>", "request", "HTTP 422"),
        (b"", "request", "HTTP 422"),
        (b'{"errors": []}', "request", "HTTP 422"),
        (b"[" * 100_000, "request", "HTTP 422"),
    ],
)
def test_a_refusal_is_read_whatever_its_shape(body: bytes, field: str, reason: str) -> None:
    refusal = refused(422, body)

    assert (refusal.field, refusal.reason) == (field, reason)


@given(st.binary(max_size=50), st.integers(300, 499))
def test_no_refusal_makes_reading_fail(body: bytes, status: int) -> None:
    assert len(refused(status, body).reason) <= 300
    assert wait_s({}, body, NOW) >= 0


def test_the_traits_are_what_booking_its_levels_must_know() -> None:
    traits = shipbob_traits(90.0)

    assert (traits.poll_every_s, traits.shipments_poll_every_s, traits.shipments_overlap_s) == (90.0, 60.0, 600.0)
    assert (traits.settle_s, traits.request_timeout_real_s) == (60.0, 15.0)
