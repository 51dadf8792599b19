"""How long answers are waited for, by one timer for all of them."""

from __future__ import annotations

import asyncio
from collections import deque


class Patience:
    """Ends with TimeoutError what waits too long. A timer for each request would cost a tenth of its answer."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()  # the first to end first
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, done: asyncio.Future[None], within_s: float) -> None:
        """End `done` so many real seconds from now, unless it has ended by then. Never shorter than the one before."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        ends_at = done.get_loop().time() + within_s
        self._waiting.append((ends_at, done))
        if self._timer is None:
            self._timer = done.get_loop().call_at(ends_at, self._look)

    def _look(self) -> None:
        self._timer = None
        while self._waiting:
            ends_at, done = self._waiting[0]
            if not done.done():
                if ends_at > done.get_loop().time():
                    self._timer = done.get_loop().call_at(ends_at, self._look)
                    return
                done.set_exception(TimeoutError())
            self._waiting.popleft()
