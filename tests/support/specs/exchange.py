"""A transport that remembers every request and its response, for a specification to judge afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back. `status` None: no whole response came."""

    method: str
    path: str  # as sent, percent-encoded, without the query
    query: str
    request_headers: httpx.Headers = field(repr=False)
    request_body: bytes = field(repr=False)
    status: int | None
    response_headers: httpx.Headers = field(repr=False)
    response_body: bytes = field(repr=False)

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


class Recorder(httpx.AsyncBaseTransport):
    """A real connection that remembers. `before` and `after` are awaited around each request."""

    def __init__(self) -> None:
        self._wire = httpx.AsyncHTTPTransport(verify=False)  # plain HTTP on loopback: no certificates to load
        self.exchanges: list[Exchange] = []
        self.before: Callable[[httpx.Request], Awaitable[None]] | None = None
        self.after: Callable[[Exchange], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self.before is not None:
            await self.before(request)
        try:
            response = await self._wire.handle_async_request(request)
            await response.aread()
        except httpx.TransportError:
            self._keep(request, None)
            raise
        exchange = self._keep(request, response)
        if self.after is not None:
            await self.after(exchange)
        return response

    async def aclose(self) -> None:
        await self._wire.aclose()

    def _keep(self, request: httpx.Request, response: httpx.Response | None) -> Exchange:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        kept = Exchange(
            request.method,
            path,
            query,
            request.headers,
            request.content,
            response.status_code if response is not None else None,
            response.headers if response is not None else httpx.Headers(),
            response.content if response is not None else b"",
        )
        self.exchanges.append(kept)
        return kept
