"""Who leads the seller's time: it moves only when every process of the run has nothing left to do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from syncd.clock import ScaledClock
from syncd.db.types import to_micros
from syncd.errors import SyncdError
from syncd.simulation.led.board import NEVER, SLOTS, Board, Seen

_LOOK_S = 0.0004
_PATIENCE_S = 900.0  # real: whatever there is to do at one instant is done by then, or something is wrong
_LEAST_MOVE = 2_000_000
"""Microseconds: what falls due within two of the seller's seconds is done together."""


class NoRest(SyncdError):
    """A process of the run does not come to rest."""


class Conductor:
    """Moves the time of the processes at the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._check: Callable[[], None] = lambda: None
        self._voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._leading = asyncio.Lock()
        self.moves = 0

    def check_by(self, check: Callable[[], None]) -> None:
        """`check` raises where a process has died; it is called now and then while others are waited for."""
        self._check = check

    def now(self) -> datetime:
        return self._board.now()

    async def move_to(self, at: datetime) -> None:
        """Let time pass up to then: from one thing that somebody wants to do to the next, at rest in between."""
        until = to_micros(at)
        async with self._leading:
            await self.rest()
            while (now := self._board.now_micros) < until:
                due = min((seen.due for seen in self._everybody()), default=NEVER)
                await self._move(min(until, max(due, now + _LEAST_MOVE)))

    def jump_to(self, at: datetime) -> None:
        """Move time at once, whatever anybody is doing; it never goes back."""
        self._set(to_micros(at))

    async def rest(self) -> None:
        """Wait until nobody has anything to do at this instant. Raises NoRest."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _PATIENCE_S
        before: list[Seen] | None = None
        looks = 0
        while True:
            seen = self._everybody()
            if not all(_is_resting(each) for each in seen):
                before = None
            elif before == seen:
                return
            else:
                before = seen
            looks += 1
            if looks % 500 == 0:
                self._check()
                if loop.time() > give_up_at:
                    raise NoRest(f"no rest within {_PATIENCE_S:.0f} s: {', '.join(map(str, seen))}")
            await asyncio.sleep(_LOOK_S)

    async def _move(self, micros: int) -> None:
        before = {seen.pid: seen.turns for seen in self._everybody()}
        self._set(micros)
        await self._heard(before)
        await self.rest()

    def _set(self, micros: int) -> None:
        if micros <= self._board.now_micros:
            return
        self._board.set_now(micros)
        self.moves += 1
        for seen in self._everybody():
            with contextlib.suppress(OSError):  # one that has just died is found by `check`
                self._voice.sendto(b"t", ("127.0.0.1", seen.port))

    async def _heard(self, before: dict[int, int]) -> None:
        """Wait until each of them has woken up."""
        for look in range(1, 1_000_000):
            if all(seen.turns != before.get(seen.pid) for seen in self._everybody()):
                return
            if look % 500 == 0:
                self._check()
            await asyncio.sleep(_LOOK_S)
        raise NoRest("a process does not hear that time has moved")

    def _everybody(self) -> list[Seen]:
        return [seen for slot in range(SLOTS) if (seen := self._board.seen(slot)) is not None]

    def close(self) -> None:
        self._voice.close()


class LeadersClock(ScaledClock):
    """The clock of who leads: to sleep is to let time pass."""

    def __init__(self, conductor: Conductor) -> None:
        super().__init__(real=conductor.now)
        self._conductor = conductor

    async def sleep(self, seconds: float) -> None:
        await self._conductor.move_to(self._conductor.now() + timedelta(seconds=max(0.0, seconds)))


def _is_resting(seen: Seen) -> bool:
    """A process that has just been sent something is not resting any more, though it may not know yet."""
    return seen.resting and seen.threads == 0 and not _runs(seen.pid)


def _runs(pid: int) -> bool:
    """Whether the system runs it or is about to; False where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] == "R"
