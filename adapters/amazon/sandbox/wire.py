"""How a server fails on the wire: no answer, or none in time."""

from __future__ import annotations

import asyncio

from aiohttp import web

from adapters.sandbox_kit.connection import hang_up

UNAVAILABLE_PAGE = (
    "<!DOCTYPE html><html><head><title>503 Service Temporarily Unavailable</title></head>"
    "<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>"
)


class Wire:
    """Connections of this server. `close` ends whatever hangs, so that the server can stop."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def close(self) -> None:
        self._closing.set()

    def open(self) -> None:
        self._closing.clear()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    async def hang(self, request: web.Request, real_s: float) -> web.Response:
        """Say nothing for so long, then close the connection."""
        await self.pause(real_s)
        return hang_up(request)

    async def pause(self, real_s: float) -> None:
        """Wait so many real seconds, or until the server stops."""
        try:
            async with asyncio.timeout(real_s):
                await self._closing.wait()
        except TimeoutError:
            return
