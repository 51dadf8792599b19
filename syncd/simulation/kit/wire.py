"""HTTP without sockets: an httpx transport into aiohttp servers of the same process, through the real parsers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import h11
import httpx
from aiohttp import web

from adapters.contract import Rng
from syncd.simulation.kit.boundary import Boundary, Reach, never
from syncd.simulation.kit.life import Life, current_life
from syncd.simulation.kit.network import Mishap, Network
from syncd.simulation.kit.trace import Trace

Address = tuple[str, int]

_FASTEST_S, _SLOWEST_S = 0.01, 0.15  # one way


@dataclass(frozen=True, slots=True)
class _Endpoint:
    server: web.Server
    life: Life


class _Pipe(asyncio.Transport):
    """The server's end of a connection: what it writes is read by the client."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self._out = bytearray()
        self._closing = False
        self._news = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self._out += data
            self._news.set()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self._closing = True
        self._news.set()

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing piles up: the client takes everything."""

    def pause_reading(self) -> None:
        """What is delivered has arrived."""

    def resume_reading(self) -> None:
        """What is delivered has arrived."""

    async def read(self) -> bytes:
        """What has been written since; b"" when the server has closed the connection."""
        while not self._out and not self._closing:
            self._news.clear()
            await self._news.wait()
        data = bytes(self._out)
        self._out.clear()
        return data


class Watcher(Protocol):
    """Looks at every request as it sets out and as it is over, and changes nothing. `client`: whose request it is."""

    def begun(self, client: str | None, request: httpx.Request) -> None: ...

    def over(self, client: str | None, request: httpx.Request, response: httpx.Response | None) -> None:
        """None: no answer has reached the client."""


class Wire:
    """Every connection of the simulated world."""

    def __init__(self, network: Network, rng: Rng, trace: Trace, reach: Reach = never) -> None:
        self.network = network
        self._rng = rng
        self._trace = trace
        self._reach = reach
        self._endpoints: dict[Address, _Endpoint] = {}
        self.watchers: list[Watcher] = []

    def listen(self, address: Address, runner: web.AppRunner, life: Life) -> None:
        """Answer at that address until the process ends or `hush` is called."""
        assert runner.server is not None, "the runner is set up"
        self._endpoints[address] = _Endpoint(runner.server, life)
        life.at_end(lambda: self.hush(address, life))

    def hush(self, address: Address, life: Life) -> None:
        """Answer there no more, unless somebody else does by now."""
        if address in self._endpoints and self._endpoints[address].life is life:
            del self._endpoints[address]

    @contextmanager
    def instead_of_sockets(self) -> Iterator[None]:
        """Let every httpx client made inside send through this wire."""
        transport = httpx.AsyncHTTPTransport
        kept = {name: transport.__dict__[name] for name in _REPLACED}

        def init(transport: httpx.AsyncHTTPTransport, *_: Any, **__: Any) -> None:
            """No pool, and no certificates to load."""

        async def handle(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            return await self.send(request)

        async def enter(transport: httpx.AsyncHTTPTransport) -> httpx.AsyncHTTPTransport:
            return transport

        async def leave(transport: httpx.AsyncHTTPTransport, *_: Any) -> None:
            """Nothing is open."""

        for name, replacement in zip(_REPLACED, (init, handle, enter, leave, leave), strict=True):
            setattr(transport, name, replacement)
        try:
            yield
        finally:
            for name, original in kept.items():
                setattr(transport, name, original)

    async def send(self, request: httpx.Request) -> httpx.Response:
        """One request and its answer. Raises what httpx raises."""
        client = current_life()
        name = client.name if client else None
        body = await request.aread()
        for each in self.watchers:
            each.begun(name, request)
        response = None
        try:
            response = await self._exchange(client, request, body)
        finally:
            for each in self.watchers:
                each.over(name, request, response)
        return response

    async def _exchange(self, client: Life | None, request: httpx.Request, body: bytes) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        address = (request.url.host, request.url.port or 80)
        what = f"{request.method} {address[1]}{request.url.raw_path.decode()}"
        mishap = self.network.befalls(client.name if client else None)
        self._trace.note("http.sent", client.name if client else "-", what, _short(body), mishap or "")
        await self._travel(client)
        if mishap is Mishap.NO_CONNECTION or (endpoint := self._endpoints.get(address)) is None:
            raise httpx.ConnectError("connection refused", request=request)
        if mishap is Mishap.LOST_REQUEST:
            await self._hang(limits, request)
        pipe, protocol = await self._connect(endpoint)
        try:
            wanted, parser = _serialised(request, body)
            protocol.data_received(wanted)
            if client is not None:
                self._reach(Boundary.SENT, what)
            response = await self._answer(parser, pipe, limits, request)
        finally:
            # A hang-up takes its time to travel: what was sent before it has arrived, and takes effect.
            asyncio.get_running_loop().call_later(_SLOWEST_S, protocol.connection_lost, None)
        if mishap is Mishap.LOST_REPLY:
            await self._hang(limits, request)
        if mishap is Mishap.RESET:
            raise httpx.ReadError("connection reset by peer", request=request)
        await self._travel(client)
        self._trace.note("http.answered", client.name if client else "-", what, response.status_code)
        if client is not None:
            self._reach(Boundary.REPLIED, what)
        return response

    async def _travel(self, client: Life | None) -> None:
        await asyncio.sleep(self._rng.uniform(_FASTEST_S, _SLOWEST_S))
        if client is not None:
            await client.awake()

    async def _connect(self, endpoint: _Endpoint) -> tuple[_Pipe, Any]:
        """The kernel takes a connection even where the process is frozen: it is answered later."""
        if endpoint.life.alive:
            await endpoint.life.awake()
        pipe, protocol = _Pipe(), endpoint.server()
        endpoint.life.context().run(protocol.connection_made, pipe)
        return pipe, protocol

    async def _answer(
        self, parser: h11.Connection, pipe: _Pipe, limits: dict[str, float | None], request: httpx.Request
    ) -> httpx.Response:
        head: h11.Response | None = None
        body = bytearray()
        try:
            while True:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    async with asyncio.timeout(limits.get("read")):
                        parser.receive_data(await pipe.read())
                elif isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif not isinstance(event, h11.InformationalResponse):
                    raise httpx.RemoteProtocolError("server closed the connection", request=request)
        except TimeoutError as err:
            raise httpx.ReadTimeout("no answer", request=request) from err
        except h11.RemoteProtocolError as err:
            raise httpx.RemoteProtocolError(str(err), request=request) from err
        assert head is not None, "a message that ends has begun"
        return httpx.Response(
            head.status_code, headers=list(head.headers), stream=httpx.ByteStream(bytes(body)), request=request
        )

    async def _hang(self, limits: dict[str, float | None], request: httpx.Request) -> None:
        """Nothing comes any more: wait as long as this client has patience."""
        await asyncio.sleep(limits.get("read") or 3600.0)
        raise httpx.ReadTimeout("no answer", request=request)


_REPLACED = ("__init__", "handle_async_request", "__aenter__", "__aexit__", "aclose")


def _serialised(request: httpx.Request, body: bytes) -> tuple[bytes, h11.Connection]:
    """The bytes of a request, and the parser that waits for its answer."""
    parser = h11.Connection(h11.CLIENT)
    headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _OURS]
    headers += [(b"Connection", b"close")]
    if body or request.method in ("POST", "PUT", "PATCH"):
        headers += [(b"Content-Length", str(len(body)).encode())]
    target = request.extensions.get("target", request.url.raw_path)
    if b"://" in target[:8]:  # botocore hands over the whole address
        target = request.url.raw_path
    wanted = parser.send(h11.Request(method=request.method, target=target, headers=headers)) or b""
    if body:
        wanted += parser.send(h11.Data(data=body)) or b""
    return wanted + (parser.send(h11.EndOfMessage()) or b""), parser


_OURS = (b"connection", b"content-length", b"transfer-encoding")


def _short(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12] if body else "-"
