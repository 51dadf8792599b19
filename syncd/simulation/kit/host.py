"""A machine in virtual time, for one life of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from adapters.contract import Rng
from syncd.alerts.disks import Disk
from syncd.clock import ScaledClock
from syncd.host import Served
from syncd.loops import Job, Timetable
from syncd.simulation.kit.life import Life
from syncd.simulation.kit.loop import VirtualWall
from syncd.simulation.kit.timetable import Rounds, VirtualTimetable
from syncd.simulation.kit.wire import Wire


class VirtualHost:
    """`idle_s` is long: whatever happens in this world wakes who waits for it.

    `rounds` are those of all lives.
    """

    idle_s = 60.0
    watched = True

    def __init__(self, life: Life, wire: Wire, wall: VirtualWall, rng: Rng, rounds: Rounds) -> None:
        self.rng = rng
        self.holder = life.name
        self._life = life
        self._wire = wire
        self._wall = wall
        self._rounds = rounds
        self.serves = False

    def real_now(self) -> datetime:
        return self._wall.now()

    def timetable(self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]) -> Timetable:
        return VirtualTimetable(jobs, clock, lost, self._rounds)

    def disks(self, database_url: str) -> tuple[Disk, ...]:
        """None: its database is in memory, and what a full one does is a fault of its own."""
        return ()

    def on_signal(self, end: Callable[[], None]) -> None:
        """Nobody sends any: a life ends by itself or is cut off."""

    async def serve(self, app: web.Application, host: str, port: int) -> Served:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._wire.listen((host, port), runner, self._life)
        self.serves = True

        async def stop() -> None:
            self._wire.hush((host, port), self._life)
            await runner.cleanup()

        return Served(f"http://{host}:{port}", stop)
