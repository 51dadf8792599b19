"""Machines in virtual time, for the tests of the kit: a server that takes notes, and a wire to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from aiohttp import web

from syncd.chance import SeededRng
from syncd.simulation.kit.boundary import Boundary, Reach, never
from syncd.simulation.kit.life import Life, adopt_tasks, current_life
from syncd.simulation.kit.loop import VirtualLoop, run_virtually
from syncd.simulation.kit.network import CALM, MishapMix, Network
from syncd.simulation.kit.trace import Trace
from syncd.simulation.kit.wire import Wire

T = TypeVar("T")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SERVER = ("127.0.0.1", 8001)


def virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to its end in virtual time, where every task belongs to whoever began it."""
    loop = VirtualLoop()
    adopt_tasks(loop)
    return run_virtually(loop, main)


def now() -> float:
    return asyncio.get_running_loop().time()


class Machines:
    """A server that notes what reaches it, and a wire to it."""

    def __init__(self, mix: MishapMix = CALM, reach: Reach = never, out: Any = None) -> None:
        self.heard: list[str] = []
        self.trace = Trace(out)
        self.wire = Wire(Network(mix, SeededRng(1, "network")), SeededRng(1, "wire"), self.trace, reach)
        self.life = Life("server")

    async def open(self, app: web.Application | None = None) -> None:
        async def serve() -> None:
            runner = web.AppRunner(app or self._noting(), access_log=None, handle_signals=False)
            await runner.setup()
            self.wire.listen(SERVER, runner, self.life)

        await self.life.begin(serve())

    def _noting(self) -> web.Application:
        async def note(request: web.Request) -> web.Response:
            self.heard.append(request.path)
            return web.Response(text="noted")

        app = web.Application()
        app.router.add_route("*", "/{what:.*}", note)
        return app


@contextmanager
def wired(machines: Machines) -> Iterator[httpx.AsyncClient]:
    with machines.wire.instead_of_sockets():
        yield httpx.AsyncClient(base_url=f"http://{SERVER[0]}:{SERVER[1]}", timeout=5.0)


def cutting(life: Life, at: Boundary) -> Reach:
    """Power goes when this life reaches that boundary."""

    def reach(boundary: Boundary, _: str) -> None:
        if boundary is at and current_life() is life:
            life.end()
            life.check()

    return reach
