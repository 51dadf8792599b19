"""What every adapter stands on: failures become exactly one of five errors, and only harmless ones are repeated."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from adapters.contract import AdapterError, AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from adapters.http import PATIENT, Failure, HttpClient, OutOfTime, Reply, Request, RetryPolicy, Sharpen, retry_after_s
from adapters.tokens import Token, TokenCache
from tests.unit.shopify.doubles import NOW, FakeClock, SeededRng

BASE = "https://vendor.example/api"
Answer = httpx.Response | Exception
READ = Request("GET", "/orders", effect=False)
WRITE = Request("POST", "/stock", effect=True, content=b"{}")


@contextlib.asynccontextmanager
async def a_client(
    *answers: Answer,
    clock: FakeClock | None = None,
    statuses: dict[int, Failure] | None = None,
    sharpen: Sharpen | None = None,
) -> AsyncIterator[tuple[HttpClient, respx.MockRouter]]:
    """A client whose vendor gives these answers, the last one for ever."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found

    router = respx.MockRouter()
    router.route(host="vendor.example").mock(side_effect=answer)
    client = HttpClient(
        BASE,
        clock=clock or FakeClock(),
        rng=SeededRng(),
        timeout_real_s=5,
        transport=httpx.MockTransport(router.async_handler),
        statuses=statuses,
        sharpen=sharpen,
    )
    yield client, router
    await client.close()


FAILURES: list[tuple[str, Answer, type[AdapterError], type[AdapterError]]] = [
    ("no connection", httpx.ConnectError("x"), Transient, Transient),
    ("connect timeout", httpx.ConnectTimeout("x"), Transient, Transient),
    ("pool timeout", httpx.PoolTimeout("x"), Transient, Transient),
    ("proxy", httpx.ProxyError("x"), Transient, Transient),
    ("read timeout", httpx.ReadTimeout("x"), Transient, OutcomeUnknown),
    ("write timeout", httpx.WriteTimeout("x"), Transient, OutcomeUnknown),
    ("read error", httpx.ReadError("x"), Transient, OutcomeUnknown),
    ("write error", httpx.WriteError("x"), Transient, OutcomeUnknown),
    ("server hung up", httpx.RemoteProtocolError("x"), Transient, OutcomeUnknown),
    ("our protocol error", httpx.LocalProtocolError("x"), Transient, OutcomeUnknown),
    ("broken encoding", httpx.DecodingError("x"), Transient, OutcomeUnknown),
    ("operating system", OSError("x"), Transient, OutcomeUnknown),
    ("bad address", httpx.UnsupportedProtocol("x"), Rejected, Rejected),
    ("bad url", httpx.InvalidURL("x"), Rejected, Rejected),
    ("301", httpx.Response(301, headers={"Location": "/else"}), Rejected, Rejected),
    ("400", httpx.Response(400), Rejected, Rejected),
    ("401", httpx.Response(401), AuthExpired, AuthExpired),
    ("403", httpx.Response(403), Rejected, Rejected),
    ("408", httpx.Response(408), Transient, OutcomeUnknown),
    ("409", httpx.Response(409), Rejected, Rejected),
    ("425", httpx.Response(425), Transient, Transient),
    ("429", httpx.Response(429), RateLimited, RateLimited),
    ("500", httpx.Response(500), Transient, OutcomeUnknown),
    ("503", httpx.Response(503), Transient, OutcomeUnknown),
    ("599", httpx.Response(599), Transient, OutcomeUnknown),
]


@pytest.mark.parametrize(("answer", "of_read", "of_write"), [pytest.param(*rest, id=name) for name, *rest in FAILURES])
async def test_every_failure_is_one_of_the_five(
    answer: Answer, of_read: type[AdapterError], of_write: type[AdapterError]
) -> None:
    async with a_client(answer) as (client, _):
        with pytest.raises(AdapterError) as read:
            await client.send(READ)
        with pytest.raises(AdapterError) as write:
            await client.send(WRITE)

    assert (type(read.value), type(write.value)) == (of_read, of_write)


async def test_a_vendor_and_a_request_may_read_a_status_their_own_way() -> None:
    async with a_client(httpx.Response(403), statuses={403: Failure.AUTH}) as (client, _):
        with pytest.raises(AuthExpired):
            await client.send(READ)
        with pytest.raises(RateLimited):
            await client.send(Request("GET", "/a", effect=False, statuses={403: Failure.RATE_LIMITED}))


async def test_a_vendor_may_sharpen_a_refusal_by_what_its_body_says() -> None:
    def sharpen(request: Request, answer: httpx.Response, plain: AdapterError) -> AdapterError:
        return RateLimited(f"{plain}: {answer.text}", 7.0) if isinstance(plain, Rejected) else plain

    async with a_client(httpx.Response(409, text="busy"), httpx.Response(401), sharpen=sharpen) as (client, _):
        with pytest.raises(RateLimited, match=r"GET /orders: HTTP 409: busy"):
            await client.send(READ)
        with pytest.raises(AuthExpired, match=r"HTTP 401$"):
            await client.send(READ)


async def test_a_reply_is_decoded_as_its_shape_says() -> None:
    async with a_client(httpx.Response(200, content=b'{"a": 12345678901234567890}')) as (client, router):
        reply = await client.send(Request("GET", "/a", effect=False, params={"b": "c"}, headers={"X-Y": "z"}))

        assert reply.decode(dict[str, int]) == {"a": 12345678901234567890}
        sent = router.calls.last.request
        assert (str(sent.url), sent.headers["X-Y"]) == ("https://vendor.example/api/a?b=c", "z")


@pytest.mark.parametrize("body", [b"", b'{"a":', b"<html>", b"\xff", b"[" * 100_000, b"[]"])
async def test_an_unreadable_reply_leaves_a_writes_outcome_unknown(body: bytes) -> None:
    for request, kind in ((READ, Transient), (WRITE, OutcomeUnknown)):
        reply = Reply(request, 200, httpx.Headers(), body)

        with pytest.raises(kind):
            reply.decode(dict[str, int])


async def test_a_reply_that_drips_in_ends_with_the_time_out() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    client = HttpClient(
        BASE, clock=FakeClock(), rng=SeededRng(), timeout_real_s=0.1, transport=httpx.MockTransport(answer)
    )

    with pytest.raises(OutcomeUnknown, match="TimeoutError"):
        await client.send(WRITE)
    await client.close()


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/next?cursor=a&back=https://x.example/y", f"{BASE}/next?cursor=a&back=https://x.example/y"),
        ("https://other.example/whole?a=1", "https://other.example/whole?a=1"),
    ],
)
async def test_an_address_in_a_query_leaves_the_path_where_it_is(path: str, asked: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    client = HttpClient(
        BASE, clock=FakeClock(), rng=SeededRng(), timeout_real_s=1, transport=httpx.MockTransport(answer)
    )
    await client.send(Request("GET", path, effect=False))
    await client.close()

    assert seen == [asked]


async def test_cancelling_is_not_a_failure() -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    client = HttpClient(
        BASE, clock=FakeClock(), rng=SeededRng(), timeout_real_s=60, transport=httpx.MockTransport(answer)
    )
    task = asyncio.create_task(client.retry(lambda: client.send(WRITE), what="write", effect=True))
    await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await client.close()


# --- waiting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Sun, 22 Nov 2026 12:00:05 -0000", 5.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


async def test_a_limit_without_a_time_has_the_default_one() -> None:
    async with a_client(httpx.Response(429)) as (client, _):
        with pytest.raises(RateLimited) as caught:
            await client.send(READ)

    assert caught.value.retry_after_s == 2.0


async def test_what_had_no_effect_is_repeated_on_the_sellers_clock() -> None:
    clock = FakeClock()
    async with a_client(
        httpx.ConnectError("x"),
        httpx.Response(429, headers={"Retry-After": "30"}),
        httpx.Response(200),
        clock=clock,
    ) as (client, _):
        reply = await client.retry(lambda: client.send(WRITE), what="write", effect=True, policy=PATIENT)

    assert reply.status == 200
    first, second = clock.slept
    assert 0.25 <= first <= 0.75
    assert 30 <= second <= 33


@pytest.mark.parametrize(("answer", "calls"), [(httpx.ReadTimeout("x"), 1), (httpx.Response(400), 1)])
async def test_an_unknown_outcome_and_a_refusal_are_never_repeated(answer: Answer, calls: int) -> None:
    async with a_client(answer) as (client, router):
        with pytest.raises((OutcomeUnknown, Rejected)):
            await client.retry(lambda: client.send(WRITE), what="write", effect=True)

        assert router.calls.call_count == calls


async def test_retries_stop_by_attempts_and_the_last_error_is_the_answer() -> None:
    clock = FakeClock()
    async with a_client(httpx.Response(500), clock=clock) as (client, router):
        with pytest.raises(Transient):
            await client.retry(lambda: client.send(READ), what="read", effect=False)

        assert router.calls.call_count == RetryPolicy().attempts
        assert len(clock.slept) == RetryPolicy().attempts - 1


@pytest.mark.parametrize(("policy", "asked_s"), [(RetryPolicy(), 6), (PATIENT, 3600)])
async def test_a_wait_too_long_is_left_to_the_caller(policy: RetryPolicy, asked_s: int) -> None:
    clock = FakeClock()
    async with a_client(httpx.Response(429, headers={"Retry-After": str(asked_s)}), clock=clock) as (client, _):
        with pytest.raises(RateLimited) as caught:
            await client.retry(lambda: client.send(READ), what="read", effect=False, policy=policy)

    assert (caught.value.retry_after_s, clock.slept) == (asked_s, [])


async def test_a_short_wait_is_kept_by_everybody() -> None:
    clock = FakeClock()
    short = httpx.Response(429, headers={"Retry-After": "5"})
    async with a_client(short, httpx.Response(200), clock=clock) as (client, _):
        await client.retry(lambda: client.send(READ), what="read", effect=False)

    assert 5 <= clock.slept[0] <= 5.5


class StandingClock(FakeClock):
    """A second of the seller's takes as long as a real one."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await super().sleep(seconds)


HASTY = RetryPolicy(attempts=100, first_wait_s=0.02, longest_wait_s=0.02, within_real_s=0.3)


async def timed(call: Awaitable[object], kind: type[AdapterError]) -> float:
    """How many real seconds it takes to fail."""
    began_at = asyncio.get_running_loop().time()
    with pytest.raises(kind):
        await call
    return asyncio.get_running_loop().time() - began_at


async def test_a_read_is_broken_off_when_its_real_time_is_over_however_often_it_was_repeated() -> None:
    async with a_client(httpx.Response(500), clock=StandingClock()) as (client, router):
        read = client.retry(lambda: client.send(READ), what="read", effect=False, policy=HASTY)
        assert 0.25 <= await timed(read, OutOfTime) < 2

        assert 2 <= router.calls.call_count < 100


async def test_a_read_that_hangs_is_broken_off_too() -> None:
    async def hang() -> None:
        await asyncio.sleep(30)

    async with a_client(httpx.Response(500)) as (client, _):
        assert await timed(client.retry(hang, what="read", effect=False, policy=HASTY), Transient) < 2


async def test_who_is_patient_is_never_broken_off() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "there"

    calm = replace(HASTY, within_real_s=None)
    async with a_client(httpx.Response(500)) as (client, _):
        assert await client.retry(slow, what="sweep", effect=False, policy=calm) == "there"


async def test_a_write_is_never_broken_off_by_the_time_of_its_repeats() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "written"

    async with a_client(httpx.Response(500)) as (client, _):
        assert await client.retry(slow, what="write", effect=True, policy=HASTY) == "written"


async def test_a_write_is_not_sent_again_when_that_could_last_too_long() -> None:
    five_s_a_try = replace(HASTY, within_real_s=5.1)
    async with a_client(httpx.ConnectError("x"), clock=StandingClock()) as (client, router):
        write = client.retry(lambda: client.send(WRITE), what="write", effect=True, policy=five_s_a_try)
        assert await timed(write, Transient) < 2

        assert 2 <= router.calls.call_count < 100


async def test_a_timeout_of_the_calls_own_is_not_taken_for_the_end_of_its_time() -> None:
    async def fail() -> None:
        raise TimeoutError("somebody else's")

    async with a_client(httpx.Response(500)) as (client, _):
        with pytest.raises(TimeoutError, match="somebody else's"):
            await client.retry(fail, what="read", effect=False)


async def test_logs_name_the_request_and_nothing_of_its_contents() -> None:
    request = Request(
        "POST", "/a", effect=True, headers={"Authorization": "hush"}, content=b"secret", params={"k": "quiet"}
    )
    async with a_client(httpx.Response(500, text="private", headers={"x-request-id": "r-1"})) as (client, _):
        with capture_logs() as logs, pytest.raises(OutcomeUnknown):
            await client.send(request)

    assert [entry["event"] for entry in logs] == ["http.failed"]
    assert logs[0]["request"] == "POST /a"
    assert (logs[0]["status"], logs[0]["request_id"], logs[0]["error"]) == (500, "r-1", "OutcomeUnknown")
    for shown in (str(logs), repr(request)):
        assert not any(word in shown for word in ("hush", "secret", "quiet", "private"))


# --- tokens ------------------------------------------------------------------------------------------------------


class Granter:
    """Hands out token-1, token-2, ...; `fails` is raised instead while it is set."""

    def __init__(self, life_s: float = 100.0) -> None:
        self.count = 0
        self.life_s = life_s
        self.fails: Exception | None = None

    async def __call__(self) -> Token:
        await asyncio.sleep(0)
        self.count += 1
        if self.fails is not None:
            raise self.fails
        return Token(f"token-{self.count}", self.life_s)


async def test_many_who_ask_at_once_share_one_grant() -> None:
    grant = Granter()
    cache = TokenCache(grant, FakeClock())

    assert await asyncio.gather(*(cache.get() for _ in range(5))) == ["token-1"] * 5
    assert grant.count == 1


async def test_one_who_gives_up_waiting_does_not_take_the_token_from_the_others() -> None:
    cache = TokenCache(Granter(), FakeClock())
    first, second = asyncio.create_task(cache.get()), asyncio.create_task(cache.get())
    await asyncio.sleep(0)

    first.cancel()

    assert (await second).startswith("token-")


async def test_a_token_is_renewed_at_80_percent_of_its_life() -> None:
    clock = FakeClock()
    cache = TokenCache(Granter(life_s=100), clock)

    seen = [await cache.get()]
    clock.pass_s(79)
    seen.append(await cache.get())
    clock.pass_s(1)
    seen.append(await cache.get())

    assert seen == ["token-1", "token-1", "token-2"]


async def test_a_token_that_still_lives_outlasts_a_failing_renewal() -> None:
    clock, grant = FakeClock(), Granter(life_s=100)
    cache = TokenCache(grant, clock)
    await cache.get()
    grant.fails = Transient("down")

    clock.pass_s(85)
    assert [await cache.get(), await cache.get()] == ["token-1", "token-1"]
    assert grant.count == 2  # asked once, and not again at every call
    clock.pass_s(15)
    with pytest.raises(Transient):
        await cache.get()


async def test_refused_credentials_are_not_hidden_by_a_token_that_still_lives() -> None:
    clock, grant = FakeClock(), Granter(life_s=100)
    cache = TokenCache(grant, clock)
    await cache.get()
    grant.fails = AuthExpired("no")
    clock.pass_s(85)

    with pytest.raises(AuthExpired):
        await cache.get()


async def test_a_refused_token_is_replaced_once_and_only_once() -> None:
    async def call(token: str) -> str:
        if token in refused:
            raise AuthExpired(token)
        return token

    cache = TokenCache(Granter(), FakeClock())
    refused = {"token-1"}
    assert await cache.authorised(call) == "token-2"

    refused = {"token-2", "token-3"}
    with pytest.raises(AuthExpired):
        await cache.authorised(call)


async def test_a_late_refusal_does_not_drop_the_newer_token() -> None:
    cache = TokenCache(Granter(), FakeClock())
    old = await cache.get()
    cache.invalidate(old)
    new = await cache.get()

    cache.invalidate(old)

    assert await cache.get() == new
    assert "token" not in repr(Token("token-1", 5)).removeprefix("Token")
