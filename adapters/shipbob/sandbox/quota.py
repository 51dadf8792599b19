"""The sliding window of calls that every token has."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from adapters.contract import Clock

SPAN = timedelta(seconds=60)


class Quota:
    """So many calls in any 60 of the seller's seconds. A refused call counts for nothing."""

    def __init__(self, calls: int, clock: Clock) -> None:
        self._most = calls
        self._clock = clock
        self._calls: deque[datetime] = deque()

    def take(self) -> bool:
        """Count a call, if there is room for it."""
        self._forget()
        if len(self._calls) >= self._most:
            return False
        self._calls.append(self._clock.now())
        return True

    @property
    def remaining(self) -> int:
        self._forget()
        return self._most - len(self._calls)

    @property
    def wait_s(self) -> int:
        """Whole seconds until there is room again, at least 1."""
        self._forget()
        if not self._calls:
            return 1
        return max(1, math.ceil((self._calls[0] + SPAN - self._clock.now()).total_seconds()))

    def _forget(self) -> None:
        gone = self._clock.now() - SPAN
        while self._calls and self._calls[0] <= gone:
            self._calls.popleft()
