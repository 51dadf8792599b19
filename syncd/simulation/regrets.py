"""Changes of mind that come later: an order is cancelled, changed or refunded minutes or hours after it was placed."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.contract import Clock
from syncd.simulation.unbroken import unbroken

_LOOK_EVERY_S = 15.0

Act = Callable[[], Awaitable[bool]]
"""Something at a counter; False when the channel would not do it any more."""


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at: datetime
    number: int
    act: Act = field(compare=False)


class Regrets:
    """Does each at its time, in the order in which they are due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[_Due] = []
        self._numbered = 0

    def expect(self, at: datetime, act: Act) -> None:
        """Remember what somebody is to do; a counter that would not do it any more is no error."""
        self._numbered += 1
        heapq.heappush(self._due, _Due(at, self._numbered, act))

    async def come_due(self) -> None:
        """Do what is due, for ever."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            while self._due and self._due[0].at <= self._clock.now():
                await unbroken(_do(heapq.heappop(self._due).act))


async def _do(act: Act) -> None:
    await act()
