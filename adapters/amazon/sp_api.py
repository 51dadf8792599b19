"""One call of the Selling Partner API: token, quota, and Amazon's ways of saying no. Paging is its callers' work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from adapters.amazon.quota import Operation, TokenBucket
from adapters.amazon.settings import AmazonSettings
from adapters.contract import AdapterError, AuthExpired, Clock, OutcomeUnknown, RateLimited, Rejected, Rng
from adapters.http import PATIENT, Failure, HttpClient, Reply, Request, RetryPolicy
from adapters.tokens import Token, TokenCache

T = TypeVar("T")

STATUSES: Mapping[int, Failure] = {403: Failure.AUTH}
_TOKEN_STATUSES: Mapping[int, Failure] = {400: Failure.AUTH, 401: Failure.AUTH, 403: Failure.AUTH}
SWEEP = replace(PATIENT, longest_wait_s=1800.0)
"""A token of searchOrders takes three minutes, ten times that on the slowest plan believed."""
_MOST_TOLD = 200  # characters of a refusal's text


class NotFound(Rejected):
    """Amazon has nothing by that name."""


class Flight:
    """Where one write is. `away`: it may have reached Amazon. `lost`: it was sent, and nothing at all came back."""

    __slots__ = ("away", "lost")

    def __init__(self) -> None:
        self.away = False
        self.lost = False


class Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class ErrorList(msgspec.Struct, frozen=True):
    """Every shape of refusal: `errors` of the API, `message` of its gateway, `error` of the token endpoint."""

    errors: list[Error] = []
    message: str = ""
    error: str = ""


class GrantedToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class SpApi:
    """One seller's access. Raises the five adapter errors."""

    def __init__(
        self, settings: AmazonSettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._http = HttpClient(
            settings.base_url,
            clock=clock,
            rng=rng,
            timeout_real_s=settings.request_timeout_real_s,
            transport=transport,
            statuses=STATUSES,
            sharpen=_told,
        )
        self._tokens = TokenCache(self._grant, clock)
        self._buckets: dict[str, TokenBucket] = {}

    @property
    def throttled(self) -> int:
        return self._http.throttled

    async def get(
        self,
        operation: Operation,
        path: str,
        params: Mapping[str, str],
        shape: type[T],
        policy: RetryPolicy | None = None,
    ) -> T:
        """Read `shape`, repeating what may be repeated."""
        return await self._call(operation, Request("GET", path, effect=False, params=params), shape, Flight(), policy)

    async def patch(
        self, operation: Operation, path: str, params: Mapping[str, str], body: bytes, shape: type[T], flight: Flight
    ) -> T:
        """Write, repeating only what Amazon surely refused to look at. `flight` tells where the write is."""
        headers = {"Content-Type": "application/json"}
        return await self._call(operation, Request("PATCH", path, True, headers, body, params), shape, flight)

    async def close(self) -> None:
        await self._http.close()

    async def _call(
        self, operation: Operation, request: Request, shape: type[T], flight: Flight, policy: RetryPolicy | None = None
    ) -> T:
        bucket = self._buckets.setdefault(operation.name, TokenBucket(operation, self._clock))

        async def call(token: str) -> Reply:
            headers = {**request.headers, "Accept": "application/json", "x-amz-access-token": token}
            return await self._fly(replace(request, headers=headers), flight, bucket)

        async def attempt() -> T:
            await bucket.take()
            return (await self._tokens.authorised(call)).decode(shape)

        return await self._http.retry(attempt, what=operation.name, effect=request.effect, policy=policy)

    async def _fly(self, request: Request, flight: Flight, bucket: TokenBucket) -> Reply:
        flight.away = True
        try:
            reply = await self._http.send(request)
        except OutcomeUnknown as err:
            flight.lost = isinstance(err.__cause__, httpx.HTTPError | OSError)
            raise
        except RateLimited as err:  # Amazon never says for how long: one token's time is the least that can help
            flight.away = False
            bucket.emptied()
            raise RateLimited(str(err), bucket.one_token_s) from err
        except AdapterError:
            flight.away = False
            raise
        bucket.note_rate(reply.headers.get("x-amzn-RateLimit-Limit"))
        return reply

    async def _grant(self) -> Token:
        """A refresh token's grant: an hour's access."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._settings.refresh_token,
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
        }
        request = Request(
            "POST",
            self._settings.token_url,
            False,  # asking twice gives two good tokens
            {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"},
            urlencode(form).encode(),
            statuses=_TOKEN_STATUSES,
        )
        try:
            granted = (await self._http.send(request)).decode(GrantedToken)
        except AuthExpired as err:
            remedy = "authorise the application again, or correct its client id and secret"
            raise AuthExpired(f"{err}; {remedy}") from err
        if not granted.access_token or not granted.expires_in > 0:
            raise AuthExpired("Amazon granted no token")
        return Token(granted.access_token, granted.expires_in)


def segment(value: str) -> str:
    """A path segment, percent-encoded whole: a seller SKU may hold a slash."""
    return quote(value, safe="")


def _told(request: Request, answer: httpx.Response, error: AdapterError) -> AdapterError:
    """The error with what Amazon said, cut short: its texts name fields and never buyers."""
    code, told = refusal(answer.content)
    message = f"{error}: {told}" if told else str(error)
    match error:
        case Rejected(reason=reason):
            kind = NotFound if answer.status_code == 404 else Rejected
            return kind(code or "http", f"{reason}: {told}" if told else reason)
        case RateLimited(retry_after_s=wait_s):
            return RateLimited(message, wait_s)
        case _:
            return type(error)(message)


def refusal(body: bytes) -> tuple[str, str]:
    """The code and the text of a refusal; empty where it has none that can be read."""
    try:
        found = msgspec.json.decode(body, type=ErrorList)
    except (ValueError, RecursionError):
        return "", ""
    first = found.errors[0] if found.errors else Error(found.error, found.message)
    return first.code[:_MOST_TOLD], (first.message or first.code)[:_MOST_TOLD]
