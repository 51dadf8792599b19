"""ShipBob's sliding window of calls a minute, kept on our side so that it is seldom met on theirs.

Part of it is kept for what cannot wait: an order sent late costs a promised day, a level read late costs a buffer.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng

LIMIT = 150  # calls a minute of one user and application
RESERVE = 30  # of these, for orders and cancellations
SPARE = 5  # of these, never ours: requests cross on the way
_SPAN = timedelta(seconds=61)  # a call arrives a little later than it is sent


class Window:
    """Waits, in the seller's seconds, until one more call fits."""

    def __init__(self, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._calls: deque[datetime] = deque()  # oldest first
        self._shut_until = clock.now()

    async def enter(self, *, urgent: bool) -> None:
        room = LIMIT - SPARE - (0 if urgent else RESERVE)
        while (wait_s := self._wait_s(room)) > 0:
            await self._clock.sleep(wait_s + self._rng.uniform(0.001, 0.5))
        self._calls.append(self._clock.now())

    def shut(self, seconds: float) -> None:
        """The vendor asks everyone of us to wait."""
        wait = min(timedelta(seconds=seconds), _SPAN)  # longer waits are the caller's to schedule
        self._shut_until = max(self._shut_until, self._clock.now() + wait)

    def note(self, remaining: str | None) -> None:
        """Believe `x-remaining-calls`: what it lacks of our own count, others have called with the same token."""
        if remaining is None or not remaining.isdecimal():
            return
        self._forget()
        others = LIMIT - int(remaining) - len(self._calls)
        self._calls.extend([self._clock.now()] * others)

    def _wait_s(self, room: int) -> float:
        self._forget()
        now = self._clock.now()
        wait = self._shut_until - now
        if len(self._calls) >= room:
            wait = max(wait, self._calls[len(self._calls) - room] + _SPAN - now)
        return wait.total_seconds()

    def _forget(self) -> None:
        gone = self._clock.now() - _SPAN
        while self._calls and self._calls[0] <= gone:
            self._calls.popleft()
