"""What the daemon needs of the machine it runs on: its time, its name, its signals, its port, its timetable."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from aiohttp import web

from adapters.contract import Rng
from syncd.chance import SystemRng
from syncd.clock import ScaledClock, real_now
from syncd.db.lease import this_process
from syncd.loops import ApTimetable, Job, Timetable

log = structlog.get_logger(__name__)

_CLEANUP_S = 5.0


def _note_no_reload() -> None:
    log.warning("reload.ignored", signal="SIGHUP", remedy="restart syncd: only a start takes a new configuration")


@dataclass(frozen=True, slots=True)
class Served:
    """A served application: where it answers, and how to stop it."""

    address: str
    stop: Callable[[], Awaitable[None]]


class Host(Protocol):
    """A machine. In life there is one; the simulation has its own, where time and chance are made."""

    idle_s: float
    """Real seconds after which a loop looks by itself: news from other processes does not wake it."""

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

    def on_signal(self, end: Callable[[], None]) -> None:
        """Call `end` when somebody asks this process to go."""
        ...

    async def serve(self, app: web.Application, host: str, port: int) -> Served:
        """Answer there. Raises OSError when that address cannot be had."""
        ...


class ThisMachine:
    """The machine in life."""

    idle_s = 1.0

    def __init__(self) -> None:
        self.rng: Rng = SystemRng()
        self.holder = this_process()

    def real_now(self) -> datetime:
        return real_now()

    def timetable(self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]) -> Timetable:
        return ApTimetable(jobs, clock, lost)

    def on_signal(self, end: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, end)
        loop.add_signal_handler(signal.SIGHUP, _note_no_reload)  # unhandled it would end the process

    async def serve(self, app: web.Application, host: str, port: int) -> Served:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLEANUP_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        bound_host, bound_port = runner.addresses[0][:2]
        return Served(f"http://{bound_host}:{bound_port}", runner.cleanup)
