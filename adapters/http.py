"""The one place that talks httpx: real time-outs, status -> error, retries on the seller's clock.

Every failure leaves here as exactly one of the five `AdapterError`s. What a failure means depends on whether the
request was a write: whoever cannot know if a write arrived says `OutcomeUnknown`, and that is never repeated here.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from importlib.util import find_spec
from typing import TypeVar

import httpx
import msgspec
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from adapters.contract import AdapterError, AuthExpired, Clock, OutcomeUnknown, RateLimited, Rejected, Rng, Transient

log = structlog.get_logger(__name__)
T = TypeVar("T")

if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    # httpcore tries to import it several times a request; a module that is missing is looked for on the whole path each
    # time, which measured a fifth of a call. Marked as missing, it is not looked for.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


_URLS_KEPT = 512


class Failure(StrEnum):
    """What a status means, before knowing whether the request was a write."""

    NO_EFFECT = "no_effect"  # surely nothing happened: repeat
    UNCERTAIN = "uncertain"  # a read may be repeated, a write may have happened
    RATE_LIMITED = "rate_limited"
    AUTH = "auth"
    REJECTED = "rejected"


STATUS_TABLE: Mapping[int, Failure] = {
    401: Failure.AUTH,
    408: Failure.UNCERTAIN,
    425: Failure.NO_EFFECT,
    429: Failure.RATE_LIMITED,
}
"""Vendors override single statuses. Unlisted: 5xx is uncertain, any other non-2xx rejected."""


CALL_REAL_S = 25.0
"""What a call of somebody who waits for it may last in all, however many requests and waits it takes."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to repeat. The usual one is for callers who have other work meanwhile: they are told soon.

    `within_real_s`: a read is broken off after so long, and a write not sent again that could last longer; None: never.
    """

    attempts: int = 4
    first_wait_s: float = 0.5  # doubled each time
    longest_wait_s: float = 5.0  # a vendor that asks for more is the caller's to schedule
    within_real_s: float | None = CALL_REAL_S


PATIENT = RetryPolicy(longest_wait_s=60.0, within_real_s=None)
"""For sweeps that may wait long: each page is one retry, and a sweep given up begins again from its start."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `effect`: it changes something at the vendor, so an unreadable end is not repeatable."""

    method: str
    path: str
    effect: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    statuses: Mapping[int, Failure] = field(default_factory=dict)  # what differs from the client's table

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx answer, read to its end."""

    request: Request
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    def decode(self, shape: type[T]) -> T:
        """Parse the JSON body. A broken one leaves a write's outcome unknown."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (ValueError, RecursionError) as err:
            raise uncertain(self.request.effect, f"{self.request.what}: unreadable reply") from err


def uncertain(effect: bool, message: str) -> AdapterError:
    """No trustworthy answer: harmless for a read, an unknown outcome for a write."""
    return OutcomeUnknown(message) if effect else Transient(message)


class OutOfTime(Transient):
    """The real time that a call may last is over."""


@asynccontextmanager
async def within(real_s: float, what: str) -> AsyncIterator[None]:
    """Break off, after so many real seconds, what is safe to break off. Raises OutOfTime."""
    limit = asyncio.timeout(real_s)
    try:
        async with limit:
            yield
    except TimeoutError as err:
        if not limit.expired():
            raise
        raise OutOfTime(f"{what}: no end within {real_s:g} s") from err


Sharpen = Callable[[Request, httpx.Response, AdapterError], AdapterError]
"""What a refusal means once it is read whole, given what its status alone means."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BAD_ADDRESS = (httpx.InvalidURL, httpx.UnsupportedProtocol)


class _NoCookies(httpx.Cookies):
    """Keeps none: what a vendor's balancer sets ties calls together that have nothing to do with each other."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them where they are."""


class HttpClient:
    """One vendor host: sends single requests and repeats what is safe to repeat."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        rng: Rng,
        timeout_real_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        statuses: Mapping[int, Failure] | None = None,
        retry: RetryPolicy | None = None,
        default_retry_after_s: float = 2.0,
        sharpen: Sharpen | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._timeout_real_s = timeout_real_s
        self._statuses = {**STATUS_TABLE, **(statuses or {})}
        self._retry = retry or RetryPolicy()
        self._default_retry_after_s = default_retry_after_s
        self._sharpen = sharpen
        # Connecting ends before the whole does, so that "never sent" can be told from "no answer".
        timeout = httpx.Timeout(timeout_real_s, connect=timeout_real_s / 2, pool=timeout_real_s / 4)
        self.throttled = 0  # how often an attempt under `retry` was told to wait
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=timeout, transport=transport, headers={"User-Agent": "syncd"}
        )
        self._base_url = base_url.rstrip("/")
        self._usual_headers = {name.lower(): value for name, value in self._client.headers.items()}
        self._limits = {"timeout": timeout.as_dict()}
        self._client._cookies = _NoCookies()  # httpx copies what its own setter is given into a jar that keeps them

    async def send(self, request: Request) -> Reply:
        """Send once. Raises one of the five errors unless the status is 2xx."""
        try:
            # httpx bounds each read, not their sum: a reply that drips in must end too.
            async with asyncio.timeout(self._timeout_real_s):
                answer = await self._client.send(self._composed(request))
        except _NOT_SENT as err:
            raise self._failed(request, Transient(f"{request.what}: {type(err).__name__}")) from err
        except _BAD_ADDRESS as err:
            raise self._failed(request, Rejected("url", f"{request.what}: {type(err).__name__}")) from err
        except (httpx.HTTPError, OSError) as err:  # OSError covers TimeoutError
            raise self._failed(request, uncertain(request.effect, f"{request.what}: {type(err).__name__}")) from err
        if not answer.is_success:
            refusal = self._refusal(request, answer)
            if self._sharpen is not None:
                refusal = self._sharpen(request, answer, refusal)
            raise self._failed(request, refusal, answer)
        log.debug("http.answered", request=request.what, status=answer.status_code, request_id=_request_id(answer))
        return Reply(request, answer.status_code, answer.headers, answer.content)

    def _composed(self, request: Request) -> httpx.Request:
        """What httpx's own way composes, which copies and parses the same headers and addresses again and again."""
        names = {name.lower() for name in request.headers}
        usual = [(name, value) for name, value in self._usual_headers.items() if name not in names]
        params = None if request.params is None else tuple(request.params.items())
        return httpx.Request(
            request.method,
            _address(self._base_url, request.path, params),
            headers=usual + list(request.headers.items()),
            content=request.content,
            extensions=dict(self._limits),
        )

    async def retry(
        self, attempt: Callable[[], Awaitable[T]], *, what: str, effect: bool, policy: RetryPolicy | None = None
    ) -> T:
        """Repeat `attempt` while it ends Transient or RateLimited, sleeping the seller's seconds in between.

        `effect`: it changes something, so it is never broken off; it is only not repeated when time is short.
        """
        chosen = policy or self._retry
        began_at = asyncio.get_running_loop().time()

        def note(state: RetryCallState) -> None:
            kind = type(state.outcome.exception()).__name__ if state.outcome else None
            log.info("http.retry_scheduled", what=what, attempt=state.attempt_number, error=kind)

        def enough(state: RetryCallState) -> bool:
            if state.attempt_number >= chosen.attempts:
                return True
            if not effect or chosen.within_real_s is None:
                return False
            return asyncio.get_running_loop().time() - began_at + self._timeout_real_s > chosen.within_real_s

        async def once() -> T:  # tenacity awaits coroutine functions only, not whatever returns an awaitable
            try:
                return await attempt()
            except RateLimited:
                self.throttled += 1
                raise

        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            wait=lambda state: self._wait_s(state, chosen),
            stop=enough,
            retry=retry_if_exception(lambda error: _worth_repeating(error, chosen)),
            before_sleep=note,
            reraise=True,
        )
        if effect or chosen.within_real_s is None:
            return await retrying(once)
        async with within(chosen.within_real_s, what):
            return await retrying(once)

    async def close(self) -> None:
        await self._client.aclose()

    def _refusal(self, request: Request, answer: httpx.Response) -> AdapterError:
        status = answer.status_code
        message = f"{request.what}: HTTP {status}"
        kind = request.statuses.get(status) or self._statuses.get(status)
        if kind is None:
            kind = Failure.UNCERTAIN if status >= 500 else Failure.REJECTED
        match kind:
            case Failure.NO_EFFECT:
                return Transient(message)
            case Failure.UNCERTAIN:
                return uncertain(request.effect, message)
            case Failure.RATE_LIMITED:
                wait_s = retry_after_s(answer.headers.get("Retry-After"), self._clock.now())
                return RateLimited(message, self._default_retry_after_s if wait_s is None else wait_s)
            case Failure.AUTH:
                return AuthExpired(message)
            case Failure.REJECTED:
                return Rejected("http", message)

    def _failed(self, request: Request, error: AdapterError, answer: httpx.Response | None = None) -> AdapterError:
        log.info(
            "http.failed",
            request=request.what,
            effect=request.effect,
            error=type(error).__name__,
            status=answer.status_code if answer is not None else None,
            request_id=_request_id(answer) if answer is not None else None,
        )
        return error

    def _wait_s(self, state: RetryCallState, policy: RetryPolicy) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited):
            return error.retry_after_s + self._rng.uniform(0.0, max(0.1, error.retry_after_s / 10))
        wait_s = policy.first_wait_s * math.pow(2.0, state.attempt_number - 1) * self._rng.uniform(0.5, 1.5)
        return min(wait_s, policy.longest_wait_s)


@lru_cache(_URLS_KEPT)
def _address(base_url: str, path: str, params: tuple[tuple[str, str], ...] | None) -> httpx.URL:
    is_whole = "://" in path.partition("?")[0]
    address = path if is_whole else f"{base_url}/{path.lstrip('/')}"
    return httpx.URL(address) if params is None else httpx.URL(address, params=params)


def _worth_repeating(error: BaseException, policy: RetryPolicy) -> bool:
    if isinstance(error, RateLimited):
        return error.retry_after_s <= policy.longest_wait_s
    return isinstance(error, Transient)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header: seconds, or an HTTP date against `now`. None when it says nothing usable."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        if until.tzinfo is None:  # "-0000": RFC 5322 for UTC of unknown origin
            until = until.replace(tzinfo=UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _request_id(answer: httpx.Response) -> str | None:
    value: str | None = answer.headers.get("x-request-id")
    return value
