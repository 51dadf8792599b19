"""Real HTTP calls to the endpoints that the seller registered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

ANSWER_WITHIN_S = 5.0  # real seconds; the vendor's own limit is not published
CONNECT_WITHIN_S = 1.0
AT_ONCE = 50


class Postman:
    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._lanes = asyncio.Semaphore(AT_ONCE)

    def start(self) -> None:
        if self._client is None:
            limits = httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S)
            self._client = httpx.AsyncClient(transport=self._transport, timeout=limits, trust_env=False)

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def get(self, address: str, query: Mapping[str, str]) -> httpx.Response | None:
        """The answer, or None if none came in time."""
        return await self._send("GET", address, query=query)

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response | None:
        """The answer, or None if none came in time."""
        return await self._send("POST", address, body=body, headers=headers)

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
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    return await self._client.request(method, address, params=query, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                return None
