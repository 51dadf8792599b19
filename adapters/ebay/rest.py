"""One REST call: token, headers, and eBay's errors as the five.

A seller's token comes from the refresh token of a consent, the application's own from the client's credentials; eBay
counts both (50,000 and 1,000 a day), so each is fetched once and kept.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from adapters.contract import AdapterError, AuthExpired, Clock, RateLimited, Rng
from adapters.ebay.refusals import MissingScope, refusal
from adapters.ebay.settings import EbaySettings
from adapters.http import Failure, HttpClient, Reply, Request, RetryPolicy
from adapters.tokens import Token, TokenCache

S = TypeVar("S")

TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105 - a path
APP_SCOPE = "https://api.ebay.com/oauth/api_scope"
# 2001 usually means that the day's quota is gone, and no header says until when: asking again soon is no use. Longer
# than what a call waits by itself, so that whoever called goes on with other work; short enough for a passing burst.
QUOTA_PAUSE_S = 90.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `effect`: it changes something. `as_app`: with the application's token, not the seller's."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: object = None
    effect: bool = False
    as_app: bool = False

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


class GrantedToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 7200.0


class EbayRest:
    """Sends calls for one seller. Raises the five adapter errors, `Refused` among them, and never repeats an effect."""

    def __init__(
        self, settings: EbaySettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._http = HttpClient(
            settings.base_url,
            clock=clock,
            rng=rng,
            timeout_real_s=settings.request_timeout_real_s,
            transport=transport,
            default_retry_after_s=QUOTA_PAUSE_S,
            sharpen=_sharpened,
        )
        self._seller = TokenCache(self._grant_seller, clock)
        self._app = TokenCache(self._grant_app, clock)
        self._throttled_once = 0  # by calls outside `retry`, which counts its own

    @property
    def throttled(self) -> int:
        return self._http.throttled + self._throttled_once

    async def ask(self, call: Call, shape: type[S], policy: RetryPolicy | None = None) -> S:
        """The answer of a call without effect, repeated while that may help."""

        async def attempt() -> S:
            return (await self._send(call)).decode(shape)

        return await self._http.retry(attempt, what=call.what, effect=False, policy=policy)

    async def once(self, call: Call) -> Reply:
        """The answer of a call that is sent once, and once more only with a new token."""
        try:
            return await self._send(call)
        except RateLimited:
            self._throttled_once += 1
            raise

    async def close(self) -> None:
        await self._http.close()

    async def _send(self, call: Call) -> Reply:
        content = None if call.body is None else msgspec.json.encode(call.body, order="sorted")

        async def attempt(token: str) -> Reply | MissingScope:
            headers = {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Accept-Language": self._settings.content_language,  # getInventoryItems refuses to answer without it
                "X-EBAY-C-MARKETPLACE-ID": self._settings.marketplace_id,
            }
            if content is not None:
                headers |= {"Content-Type": "application/json", "Content-Language": self._settings.content_language}
            request = Request(call.method, call.path, call.effect, headers, content, call.params)
            try:
                return await self._http.send(request)
            except MissingScope as err:  # raised in here it would cost a new token
                return err

        answer = await (self._app if call.as_app else self._seller).authorised(attempt)
        if isinstance(answer, MissingScope):
            raise answer
        return answer

    async def _grant_seller(self) -> Token:
        """Without `scope` the token has all scopes that the seller consented to."""
        return await self._grant({"grant_type": "refresh_token", "refresh_token": self._settings.refresh_token})

    async def _grant_app(self) -> Token:
        return await self._grant({"grant_type": "client_credentials", "scope": APP_SCOPE})

    async def _grant(self, form: Mapping[str, str]) -> Token:
        basic = base64.b64encode(f"{self._settings.client_id}:{self._settings.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        request = Request(
            "POST",
            TOKEN_PATH,
            False,  # asking twice gives two good tokens
            headers,
            urlencode(form).encode(),
            statuses={400: Failure.AUTH},
        )
        granted = (await self._http.send(request)).decode(GrantedToken)
        if not granted.access_token or not granted.expires_in > 0:
            raise AuthExpired("eBay granted no token")
        return Token(granted.access_token, granted.expires_in)


def _sharpened(request: Request, answer: httpx.Response, plain: AdapterError) -> AdapterError:
    return refusal(plain, request.what, answer.status_code, answer.content)
