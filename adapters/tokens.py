"""Access tokens: one for all who ask, renewed before it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from adapters.contract import AuthExpired, Clock, RateLimited, Transient

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    life_s: float  # the seller's seconds, counted from before it was asked for


class TokenCache:
    """One access token: fetched once however many ask, renewed at 80 % of its life, replaced once when refused."""

    _RENEW_AT = 0.8
    _RENEW_AGAIN_AFTER = 0.02  # of its life, when the renewal failed while the old token still lives

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._token: Token | None = None
        self._renew_at = self._dies_at = datetime.min.replace(tzinfo=UTC)

    async def authorised(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Run `call` with a token; when it is refused, once more with a new one."""
        token = await self.get()
        try:
            return await call(token)
        except AuthExpired:
            self.invalidate(token)
        return await call(await self.get())

    async def get(self) -> str:
        if (token := self._fresh()) is not None:
            return token
        async with self._one_at_a_time:
            if (token := self._fresh()) is not None:
                return token
            return await self._renew()

    def invalidate(self, value: str) -> None:
        """Forget that token, unless a newer one has already taken its place."""
        if self._token is not None and self._token.value == value:
            self._token = None

    def _fresh(self) -> str | None:
        if self._token is None or self._clock.now() >= self._renew_at:
            return None
        return self._token.value

    async def _renew(self) -> str:
        asked_at = self._clock.now()
        try:
            token = await self._fetch()
        except (Transient, RateLimited):
            if self._token is None or self._clock.now() >= self._dies_at:
                raise
            self._renew_at = self._clock.now() + timedelta(seconds=self._token.life_s * self._RENEW_AGAIN_AFTER)
            return self._token.value
        self._token = token
        self._renew_at = asked_at + timedelta(seconds=token.life_s * self._RENEW_AT)
        self._dies_at = asked_at + timedelta(seconds=token.life_s)
        log.info("token.renewed", renew_at=self._renew_at.isoformat())
        return token.value
