"""Wires answer and fail as sockets do."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
from aiohttp import web

from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.kit.life import Life
from syncd.simulation.kit.network import MishapMix
from tests.simulation.kit.machines import Machines, cutting, now, virtually, wired


def app_of_every_kind() -> web.Application:
    async def plain(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {"X-One": "1", "X-Asked": request.headers.get("X-Ask", ""), "X-Path": request.raw_path}
        return web.Response(status=418, body=body[::-1], headers=headers)

    async def nothing(_: web.Request) -> web.Response:
        return web.Response(status=204)

    async def chunked(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for part in (b"in ", b"three ", b"parts"):
            await answer.write(part)
        await answer.write_eof()
        return answer

    async def truncated(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half of it")
        await _hang_up(request)
        return answer

    async def hung_up(request: web.Request) -> web.Response:
        await _hang_up(request)
        return web.Response()

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.Response()

    async def broken(_: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable(text="<html>later</html>", content_type="text/html")

    app = web.Application()
    for each in (plain, nothing, chunked, truncated, hung_up, slow, broken):
        app.router.add_route("*", f"/{each.__name__}", each)
    return app


async def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()
    await asyncio.sleep(0)


_TOLD = ("x-one", "x-asked", "x-path", "content-type", "content-length", "transfer-encoding")


async def told_of(client: httpx.AsyncClient, method: str, path: str, body: bytes) -> Any:
    """What came of a request: the answer, or the kind of error."""
    try:
        answer = await client.request(method, path, content=body, headers={"X-Ask": "who"}, timeout=0.3)
    except httpx.HTTPError as err:
        return type(err).__name__
    return answer.status_code, {name: answer.headers.get(name) for name in _TOLD}, answer.content


ASKED = [
    ("GET", "/plain?a=%20b&c=d", b""),
    ("POST", "/plain", b"a body"),
    ("PUT", "/plain", b""),
    ("GET", "/nothing", b""),
    ("HEAD", "/plain", b""),
    ("GET", "/chunked", b""),
    ("GET", "/truncated", b""),
    ("GET", "/hung_up", b""),
    ("GET", "/slow", b""),
    ("GET", "/broken", b""),
    ("GET", "/unknown", b""),
]


async def ask_all(client: httpx.AsyncClient) -> dict[str, Any]:
    return {f"{method} {path}": await told_of(client, method, path, body) for method, path, body in ASKED}


def over_the_wire() -> dict[str, Any]:
    async def main() -> dict[str, Any]:
        machines = Machines()
        await machines.open(app_of_every_kind())
        with wired(machines) as client:
            return await ask_all(client)

    return virtually(main())


async def over_a_socket() -> dict[str, Any]:
    runner = web.AppRunner(app_of_every_kind(), access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Connection": "close"}) as client:
            return await ask_all(client)
    finally:
        await runner.cleanup()


async def test_a_wire_answers_and_fails_as_a_socket_does() -> None:
    real = await over_a_socket()
    simulated = await asyncio.get_running_loop().run_in_executor(None, over_the_wire)

    assert simulated == real
    assert real["GET /truncated"] == "RemoteProtocolError"
    assert real["GET /hung_up"] == "RemoteProtocolError"
    assert real["GET /slow"] == "ReadTimeout"


async def test_nobody_there_is_the_same_error_on_both() -> None:
    async def main() -> None:
        with wired(Machines()) as client:
            await client.get("/")

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    with pytest.raises(httpx.ConnectError):
        await asyncio.get_running_loop().run_in_executor(None, lambda: virtually(main()))


@pytest.mark.parametrize(
    ("mix", "error", "heard", "took_s"),
    [
        (MishapMix(1.0, 0.0, 0.0, 0.0), httpx.ConnectError, [], 0.0),
        (MishapMix(0.0, 1.0, 0.0, 0.0), httpx.ReadTimeout, [], 5.0),
        (MishapMix(0.0, 0.0, 1.0, 0.0), httpx.ReadTimeout, ["/"], 5.0),
        (MishapMix(0.0, 0.0, 0.0, 1.0), httpx.ReadError, ["/"], 0.0),
    ],
    ids=["no connection", "lost request", "lost reply", "reset"],
)
def test_a_mishap_takes_effect_or_not_and_fails_as_it_should(
    mix: MishapMix, error: type[Exception], heard: list[str], took_s: float
) -> None:
    machines: list[Machines] = []

    async def main() -> float:
        machines.append(Machines(mix))
        await machines[0].open()
        with wired(machines[0]) as client:

            async def ask() -> None:
                await client.get("/")

            with pytest.raises(error):
                await Life("daemon").begin(ask())
        return now()

    at = virtually(main())

    assert machines[0].heard == heard
    assert took_s <= at < took_s + 1.0


@pytest.mark.parametrize(("boundary", "heard"), [(Boundary.SENT, ["/"]), (Boundary.REPLIED, ["/"])])
def test_a_cut_after_a_request_leaves_its_effect_and_no_answer(boundary: Boundary, heard: list[str]) -> None:
    async def main() -> tuple[list[str], bool]:
        daemon = Life("daemon")
        machines = Machines(reach=cutting(daemon, boundary))
        await machines.open()
        with wired(machines) as client:
            got: list[int] = []

            async def ask() -> None:
                got.append((await client.get("/")).status_code)

            await asyncio.wait([daemon.begin(ask())])
        await asyncio.sleep(1.0)
        return machines.heard, bool(got)

    assert virtually(main()) == (heard, False)
