"""An event loop in virtual time: it jumps to the next timer, and a hang is an error."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

T = TypeVar("T")
_MANY = 100
_SPIN = 200_000  # rounds without a timer passing; the busiest real instant needs some thousands


class Deadlock(AssertionError):
    """Nothing can run and no timer is armed: in a closed world this is a hang."""


class Livelock(AssertionError):
    """Tasks go on and on while no time passes."""


class _TimerHandle(asyncio.TimerHandle):
    __slots__ = ()
    _scheduled: bool  # asyncio's own, as its event loops keep it


_Timer = tuple[float, int, _TimerHandle]
"""When it is due, and which of two that are due at once was set first."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time passes only when nothing is left to do, and then at once up to the next timer."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self._now = start
        self._spins = 0
        self._timers: list[_Timer] = []
        self._timers_set = 0
        self._timers_cancelled = 0  # and still in the list

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)
        timer._scheduled = True
        self._timers_set += 1
        heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def _run_once(self) -> None:
        """Run what is ready, or else what is due next: asyncio's own turn, without a selector to ask.

        Raises Deadlock when time would pass for ever, Livelock when it has stood still for long.
        """
        ready = self._ready
        if ready:
            self._spins += 1
            if self._spins > _SPIN:
                raise Livelock(f"tasks go round without time passing, {self._now:.3f} s in: {_who_waits(self)}")
        elif not self._stopping:
            self._let_time_pass()
        while self._timers and self._timers[0][0] <= self._now:
            timer = self._take_timer()
            if not timer._cancelled:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _let_time_pass(self) -> None:
        while self._timers and self._timers[0][2]._cancelled:
            self._take_timer()
        if not self._timers:
            raise Deadlock(f"nothing can run and no timer is armed, {self._now:.3f} s in: {_who_waits(self)}")
        if self._timers[0][0] > self._now:
            self._now = self._timers[0][0]
            self._spins = 0

    def _take_timer(self) -> _TimerHandle:
        timer = heappop(self._timers)[2]
        timer._scheduled = False
        self._timers_cancelled -= timer._cancelled
        return timer

    def _timer_handle_cancelled(self, timer: _TimerHandle) -> None:
        """Most timers are limits that are not reached: once there are many of these, none is kept."""
        if not timer._scheduled:
            return
        self._timers_cancelled += 1
        if self._timers_cancelled > _MANY and self._timers_cancelled * 2 > len(self._timers):
            self._timers = [each for each in self._timers if not each[2]._cancelled]
            heapify(self._timers)
            self._timers_cancelled = 0

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:
        raise AssertionError(f"{func} wants a thread: in the simulation nothing runs beside the loop")

    def end_all(self) -> None:
        """Cancel every task that is left, and wait for it."""
        self._spins = 0
        left = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.run_until_complete(self.shutdown_asyncgens())

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector who would have to be woken."""


class VirtualWall:
    """The wall clock of a machine in virtual time: the loop's, from an instant on, as far off as it is set.

    `misread` keeps what it says while it is wrong by a step, and what the time was then.
    """

    def __init__(
        self, loop: VirtualLoop, start: datetime, skew_s: float = 0.0, misread: dict[datetime, datetime] | None = None
    ) -> None:
        self._loop = loop
        self._start = start
        self.skew_s = skew_s
        self._stepped_s = 0.0
        self._misread = {} if misread is None else misread

    def off_by(self, skew_s: float, misread: dict[datetime, datetime] | None = None) -> VirtualWall:
        """Another machine's clock, so far from this one."""
        return VirtualWall(self._loop, self._start, skew_s, misread)

    def step(self, seconds: float) -> None:
        """Go on from an instant that is so much later, or below 0 earlier, as a time server has it done."""
        self._stepped_s += seconds

    def now(self) -> datetime:
        at = self._start + timedelta(seconds=self._loop.time() + self.skew_s)
        if not self._stepped_s:
            return at
        told = at + timedelta(seconds=self._stepped_s)
        self._misread[told] = at
        return told


def run_virtually(loop: VirtualLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run to the end of `main`, end what still runs, and close the loop."""
    try:
        return loop.run_until_complete(main)
    finally:
        try:
            loop.end_all()
        finally:
            loop.close()


def _who_waits(loop: VirtualLoop) -> str:
    names = sorted(getattr(task.get_coro(), "__qualname__", task.get_name()) for task in asyncio.all_tasks(loop))
    return ", ".join(names[:20]) or "no task at all"
