"""The seller's clock of a process that is led: it stands still until somebody moves it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

from syncd.clock import ScaledClock
from syncd.db.types import to_micros
from syncd.simulation.led.board import NEVER, Board
from syncd.simulation.led.loop import LedLoop


class LedClock(ScaledClock):
    """Reads the board. Who sleeps is woken when time has been moved that far, and time stops there for it."""

    def __init__(self, board: Board, slot: int) -> None:
        super().__init__(real=board.now)
        self._board = board
        self._slot = slot
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._alarms: dict[str, tuple[int, Callable[[], None]]] = {}
        self._passers_by: list[Callable[[], None]] = []
        self._listens = False

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._listen()
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._board.now_micros + max(1, int(seconds * 1_000_000))
        heapq.heappush(self._sleepers, (due, next(self._numbers), woken))
        self._show()
        await woken

    def set_alarm(self, name: str, at: datetime | None, ring: Callable[[], None]) -> None:
        """Have this called at that instant; the same name again replaces it, and None takes it away."""
        self._listen()
        if at is None:
            self._alarms.pop(name, None)
        else:
            self._alarms[name] = (to_micros(at), ring)
        self._show()

    def on_move(self, tell: Callable[[], None]) -> None:
        """Have this called whenever time has moved; time does not stop for it."""
        self._listen()
        self._passers_by.append(tell)

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            loop = asyncio.get_running_loop()
            assert isinstance(loop, LedLoop), "a led clock runs on a led loop"
            loop.time_moved.append(self._moved)

    def _moved(self) -> None:
        now = self._board.now_micros
        while self._sleepers and (self._sleepers[0][0] <= now or self._sleepers[0][2].done()):
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
        for name, (due, ring) in list(self._alarms.items()):
            if due <= now:
                del self._alarms[name]
                ring()
        for tell in self._passers_by:
            tell()
        self._show()

    def _show(self) -> None:
        while self._sleepers and self._sleepers[0][2].done():  # cancelled
            heapq.heappop(self._sleepers)
        first = self._sleepers[0][0] if self._sleepers else NEVER
        self._board.want(self._slot, min([first, *(due for due, _ in self._alarms.values())]))
