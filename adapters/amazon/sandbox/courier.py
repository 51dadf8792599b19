"""Carries notifications to the queue: after seconds or minutes, sometimes twice, sometimes not at all."""

from __future__ import annotations

import json
from collections import Counter

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.contract import Clock
from adapters.sandbox_kit.under_way import UnderWay


class Courier:
    """Every notification travels on a task of its own, until stopped."""

    def __init__(self, queue: MessageQueue, faults: Faults, clock: Clock) -> None:
        self._queue = queue
        self._faults = faults
        self._clock = clock
        self._under_way = UnderWay()
        self.counts: Counter[str] = Counter()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def send(self, notification: Json) -> None:
        """Send it off, as it is now. A duplicate is a message of its own with the same NotificationId."""
        body = json.dumps(notification, ensure_ascii=False, separators=(",", ":"))
        for _ in self._faults.copies(self.counts):
            self._under_way.begin(self._carry(body, self._faults.message_delay()))

    async def stop(self) -> None:
        await self._under_way.stop()

    async def _carry(self, body: str, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        self._queue.put(body)
        self.counts["sent"] += 1
