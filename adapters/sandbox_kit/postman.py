"""Real HTTP calls to the addresses that were registered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

AT_ONCE = 50


class Postman:
    """Waits so many real seconds for an answer, and for a connection if that is less."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None, *, within_s: float, connect_within_s: float | None = None
    ) -> None:
        self._transport = transport
        self._within_s = within_s
        self._limits = httpx.Timeout(within_s, connect=connect_within_s or within_s)
        self._client: httpx.AsyncClient | None = None
        self._lanes = asyncio.Semaphore(AT_ONCE)

    def start(self) -> None:
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, timeout=self._limits, trust_env=False)

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def get(self, address: str, query: Mapping[str, str]) -> httpx.Response | None:
        """The answer, or None if none came in time."""
        return await self._send("GET", address, query=query)

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """True if it was taken in time."""
        answer = await self._send("POST", address, body=body, headers=headers)
        return answer is not None and answer.is_success

    async def _send(
        self,
        method: str,
        address: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | None:
        if self._client is None:
            return None
        async with self._lanes:
            try:
                async with asyncio.timeout(self._within_s):
                    return await self._client.request(method, address, params=query, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                return None
