"""Carries notifications to the queue: after seconds or minutes, sometimes twice, sometimes not at all."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.contract import Clock


class Courier:
    """Every notification travels on a task of its own, until stopped."""

    def __init__(self, queue: MessageQueue, faults: Faults, clock: Clock) -> None:
        self._queue = queue
        self._faults = faults
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def send(self, notification: Json) -> None:
        """Send it off, as it is now. A duplicate is a message of its own with the same NotificationId."""
        body = json.dumps(notification, ensure_ascii=False, separators=(",", ":"))
        if self._faults.chance(self._faults.mix.webhook_drop):
            self.counts["dropped"] += 1
            return
        self._send_off(body)
        if self._faults.chance(self._faults.mix.webhook_duplicate):
            self.counts["duplicated"] += 1
            self._send_off(body)

    async def stop(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send_off(self, body: str) -> None:
        task = asyncio.create_task(self._carry(body, self._faults.message_delay()))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _carry(self, body: str, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        self._queue.put(body)
        self.counts["sent"] += 1
