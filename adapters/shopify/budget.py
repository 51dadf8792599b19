"""Shopify's leaky bucket, kept in step with what each answer says of it.

The size and refill rate differ by plan (2000 and 100 a second on a Standard shop), so nothing is assumed before the
first answer. Part of the bucket is kept for reading orders: a push that waits costs seconds, an order read late
costs an oversell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from adapters.contract import Clock, Rng

RESERVE = 0.2  # of the bucket, for order reads
_SLOWEST_REFILL = 1.0  # points a second, should an answer claim none
_MOMENT_S = 0.001  # not worth waiting for, and still seen by a clock of microseconds


class ThrottleStatus(msgspec.Struct, frozen=True, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Budget:
    """Waits, in the seller's seconds, until a call fits into the bucket."""

    def __init__(self, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._status: ThrottleStatus | None = None
        self._available = 0.0  # at _as_of, calls under way already taken off
        self._as_of: datetime = clock.now()
        self._under_way = 0.0

    @asynccontextmanager
    async def admitted(self, cost: float, *, urgent: bool) -> AsyncIterator[None]:
        """Hold `cost` points of the bucket for the time of one call."""
        while (wait_s := self._wait_s(cost, urgent)) > _MOMENT_S:
            await self._clock.sleep(wait_s + self._rng.uniform(_MOMENT_S, 0.1))
        self._take(cost)
        try:
            yield
        finally:
            self._under_way -= cost

    def note(self, status: ThrottleStatus, *, own_cost: float) -> None:
        """Believe an answer: its points left, less the calls still under way besides its own."""
        self._status = status
        self._available = status.currently_available - (self._under_way - own_cost)
        self._as_of = self._clock.now()

    def throttled_s(self, cost: float) -> float:
        """How long after a refusal the bucket should hold `cost` again."""
        if self._status is None:
            return 1.0
        return max(0.1, (min(cost, self._status.maximum_available) - self._left()) / self._rate())

    def _wait_s(self, cost: float, urgent: bool) -> float:
        if self._status is None:
            return 0.0
        reserve = 0.0 if urgent else RESERVE * self._status.maximum_available
        needed = min(cost + reserve, self._status.maximum_available)  # never wait for what cannot be
        return (needed - self._left()) / self._rate()

    def _take(self, cost: float) -> None:
        left = self._left()
        self._available, self._as_of = left - cost, self._clock.now()
        self._under_way += cost

    def _left(self) -> float:
        if self._status is None:
            return self._available
        refilled = self._available + self._rate() * (self._clock.now() - self._as_of).total_seconds()
        return min(refilled, self._status.maximum_available)

    def _rate(self) -> float:
        return max(self._status.restore_rate if self._status else 0.0, _SLOWEST_REFILL)
