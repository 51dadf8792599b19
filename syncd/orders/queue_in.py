"""The third way in: a queue that a channel puts its news on."""

from __future__ import annotations

import asyncio

import structlog

from adapters.contract import AdapterError, NewsQueue, RawEvent
from syncd.orders.inbox import Arrived
from syncd.orders.intake import InboxWriter

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0  # real seconds: this waits for a service to answer again, not for the seller's clock


class QueueReader:
    """Takes news off one account's queue, once they are durable in the inbox and not before."""

    def __init__(self, account_id: int, account: str, queue: NewsQueue, inbox_writer: InboxWriter) -> None:
        self._account_id = account_id
        self._account = account
        self._queue = queue
        self._inbox = inbox_writer
        self._failures = 0

    async def step(self) -> bool:
        """Wait for news and take them in. Returns True: there is always more to wait for."""
        try:
            received = await self._queue.receive()
            if received:
                await self._inbox.add(*(self._row(queued.event) for queued in received))
                await self._queue.acknowledge([queued.receipt for queued in received])
        except AdapterError as err:
            self._failures += 1
            if self._failures == 1:  # orders come by polling all the same
                log.warning("queue.down", account=self._account, error=type(err).__name__, detail=str(err))
            await asyncio.sleep(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 6)))
            return True
        if self._failures:
            log.info("queue.recovered", account=self._account, failures=self._failures)
        self._failures = 0
        return True

    def _row(self, event: RawEvent) -> Arrived:
        return Arrived(self._account_id, event.event_key, event.topic, "queue", event.body)
