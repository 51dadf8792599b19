"""What the daemon needs of the machine it runs on: its time, its name, its signals, its port, its timetable."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from aiohttp import web

from adapters.contract import Rng
from syncd.alerts.disks import Disk, watched_disks
from syncd.chance import SystemRng
from syncd.clock import ScaledClock, real_now
from syncd.db.lease import this_process
from syncd.loops import ApTimetable, Job, Timetable

log = structlog.get_logger(__name__)

_BACKLOG = 128
_CLEANUP_S = 2.0  # aiohttp takes it twice where a request hangs: once to finish, once to be cancelled


def _note_no_reload() -> None:
    log.warning("reload.ignored", signal="SIGHUP", remedy="restart it: only `syncd run` takes a new configuration")


@dataclass(frozen=True, slots=True)
class Served:
    """A served application: where it answers, and how to stop it.

    `handed_on` gives its listening sockets once more: who serves on them misses no connection when this one stops.
    """

    address: str
    stop: Callable[[], Awaitable[None]]
    handed_on: Callable[[], tuple[socket.socket, ...]] = tuple


class Host(Protocol):
    """A machine. In life there is one; the simulation has its own, where time and chance are made."""

    idle_s: float
    """Real seconds after which a loop looks by itself: news from other processes does not wake it."""

    watched: bool
    """Whether the daemon looks here for what is late, fails for ever or does not add up."""

    @property
    def rng(self) -> Rng: ...

    @property
    def holder(self) -> str:
        """The name under which this process holds its leases."""
        ...

    def real_now(self) -> datetime: ...

    def timetable(
        self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]
    ) -> Timetable: ...

    def disks(self, database_url: str) -> tuple[Disk, ...]:
        """The disks that must not fill up."""
        ...

    def on_signal(self, end: Callable[[], None]) -> None:
        """Call `end` when somebody asks this process to go."""
        ...

    async def serve(self, app: web.Application, host: str, port: int) -> Served:
        """Answer there. Raises OSError when that address cannot be had."""
        ...


class ThisMachine:
    """The machine in life."""

    idle_s = 1.0
    watched = True

    def __init__(self) -> None:
        self.rng: Rng = SystemRng()
        self.holder = this_process()

    def real_now(self) -> datetime:
        return real_now()

    def timetable(self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]) -> Timetable:
        return ApTimetable(jobs, clock, lost)

    def disks(self, database_url: str) -> tuple[Disk, ...]:
        return watched_disks(database_url)

    def on_signal(self, end: Callable[[], None], reload: Callable[[], None] = _note_no_reload) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, end)
        loop.add_signal_handler(signal.SIGHUP, reload)  # unhandled it would end the process

    async def serve(self, app: web.Application, host: str, port: int) -> Served:
        runner, protocols = await _set_up(app)
        try:
            server = await asyncio.get_running_loop().create_server(protocols, host, port, backlog=_BACKLOG)
        except OSError:
            await runner.cleanup()
            raise
        return _served(runner, [server])

    async def serve_on(self, app: web.Application, sockets: tuple[socket.socket, ...]) -> Served:
        """Answer on sockets that listen already."""
        runner, protocols = await _set_up(app)
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(protocols, sock=each, backlog=_BACKLOG) for each in sockets]
        return _served(runner, servers)


async def _set_up(app: web.Application) -> tuple[web.AppRunner, web.Server]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLEANUP_S)
    await runner.setup()
    assert runner.server is not None, "it is set up"
    return runner, runner.server


def _served(runner: web.AppRunner, servers: list[asyncio.Server]) -> Served:
    async def stop() -> None:
        for server in servers:
            server.close()
        await runner.cleanup()

    def handed_on() -> tuple[socket.socket, ...]:
        return tuple(each.dup() for server in servers for each in server.sockets)

    return Served(address_of(servers[0].sockets[0]), stop, handed_on)


def address_of(listening: socket.socket) -> str:
    """What a browser of this machine is given to reach it. An IPv6 address stands in brackets."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if listening.family == socket.AF_INET6 else f"http://{host}:{port}"
