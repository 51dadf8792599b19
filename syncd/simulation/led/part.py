"""A process of a led run: `python -m syncd.simulation.led.part daemon|marketplace FILE BOARD SLOT`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from adapters.sandbox_kit import postman
from syncd import config as settings
from syncd.bootstrap import furnish_world, open_database
from syncd.clock import ScaledClock
from syncd.daemon import Daemon, Punctual
from syncd.host import ThisMachine
from syncd.logging import configure
from syncd.loops import Job, Step, Timetable
from syncd.simulation.led.board import Board
from syncd.simulation.led.clock import LedClock
from syncd.simulation.led.loop import LedLoop
from syncd.simulation.led.timetable import LedTimetable
from syncd.simulation.marketplace import open_stands
from syncd.simulation.stands import load_stands

_SHORTEST_REST_S = 0.02
_CARRIED_AT_ONCE = 8  # httpx slows down with every connection more, and both ends are this machine's


class LedMachine(ThisMachine):
    """This machine, with its timetable by the clock that is led: months pass in minutes, and nothing is late by it."""

    watched = False

    def __init__(self, clock: LedClock, board: Board) -> None:
        super().__init__()
        self._clock = clock
        self._board = board

    def timetable(self, jobs: tuple[Job, ...], clock: ScaledClock, lost: Callable[[BaseException], None]) -> Timetable:
        return LedTimetable(jobs, self._clock, self._board, lost)


class LedDaemon(Daemon):
    """The daemon, whose loops rest until the clock that is led says that they have something to do."""

    led_clock: LedClock

    def _until_due(self, works: Punctual) -> Callable[[], float]:
        return _Due(works, self._host.idle_s)

    def _loop(
        self, name: str, step: Step, wake: asyncio.Event, idle_real_s: Callable[[], float] | None = None
    ) -> Coroutine[None, None, None]:
        if isinstance(idle_real_s, _Due):
            idle_real_s.ring_by(name, self.led_clock, wake)
        return super()._loop(name, step, wake, idle_real_s)


class _Due:
    """How long a loop may rest, really; the alarm of the seller's time is set on the way."""

    def __init__(self, works: Punctual, idle_s: float) -> None:
        self._works = works
        self._idle_s = idle_s

    def ring_by(self, name: str, clock: LedClock, wake: asyncio.Event) -> None:
        self._name, self._clock, self._wake = name, clock, wake

    def __call__(self) -> float:
        at = self._works.next_look_at
        if at is not None and at <= self._clock.now():
            return _SHORTEST_REST_S
        self._clock.set_alarm(self._name, at, self._wake.set)
        return self._idle_s


async def run_daemon(config_file: Path, clock: LedClock, board: Board) -> None:
    loaded = settings.load(config_file, with_secrets=True)
    configure(loaded.log.level, loaded.log.format)
    world = furnish_world(loaded, open_database(loaded), clock)
    try:
        daemon = LedDaemon(world, LedMachine(clock, board))
        daemon.led_clock = clock
        await daemon.run()
    finally:
        world.db.close()


async def run_marketplace(stands_file: Path, clock: LedClock, _: Board) -> None:
    postman.AT_ONCE = _CARRIED_AT_ONCE
    seed, stands = load_stands(stands_file)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    async with open_stands(stands, seed, clock):
        await ended.wait()


def main(what: str, file: str, board_file: str, slot_number: str) -> None:
    board, slot = Board(Path(board_file)), int(slot_number)
    clock = LedClock(board, slot)
    works = {"daemon": run_daemon, "marketplace": run_marketplace}[what]
    with asyncio.Runner(loop_factory=lambda: LedLoop(board, slot)) as runner:
        runner.run(works(Path(file), clock, board))
    board.leave(slot)


if __name__ == "__main__":
    main(*sys.argv[1:5])
