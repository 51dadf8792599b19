"""The third way in: a queue that a channel puts its news on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from adapters.contract import AdapterError, Clock, NewsQueue, RawEvent
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.orders.inbox import Arrived
from syncd.orders.intake import InboxWriter

log = structlog.get_logger(__name__)

_TELL_AFTER = 3
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0  # real seconds: this waits for a service to answer again, not for the seller's clock


class QueueReader:
    """Takes news off one account's queue, once they are durable in the inbox and not before."""

    def __init__(
        self,
        account_id: int,
        account: str,
        queue: NewsQueue,
        db: Transactor,
        inbox_writer: InboxWriter,
        clock: Clock,
        lease: Callable[[], Lease],
    ) -> None:
        self._account_id = account_id
        self._account = account
        self._queue = queue
        self._db = db
        self._inbox = inbox_writer
        self._clock = clock
        self._lease = lease
        self._failures = 0
        self._told = True  # until the first success, which also closes what an earlier process left open

    async def step(self) -> bool:
        """Wait for news and take them in. Returns True: there is always more to wait for."""
        try:
            received = await self._queue.receive()
            if received:
                await self._inbox.add(*(self._row(queued.event) for queued in received))
                await self._queue.acknowledge([queued.receipt for queued in received])
        except AdapterError as err:
            self._failures += 1
            if self._failures == 1:
                log.warning("queue.down", account=self._account, error=type(err).__name__, detail=str(err))
            if self._failures == _TELL_AFTER:
                self._told = True
                await self._tell(str(err))
            await asyncio.sleep(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 6)))
            return True
        if self._failures:
            log.info("queue.recovered", account=self._account, failures=self._failures)
        self._failures = 0
        if self._told:
            self._told = False
            await self._tell(None)
        return True

    async def _tell(self, trouble: str | None) -> None:
        await self._db.transact(_tell, self._lease(), self._account_id, self._account, trouble, self._clock.now())

    def _row(self, event: RawEvent) -> Arrived:
        return Arrived(self._account_id, event.event_key, event.topic, "queue", event.body)


def _tell(
    connection: Connection, lease: Lease, account_id: int, account: str, trouble: str | None, now: datetime
) -> None:
    """Open or close the alert that a queue cannot be read. Raises Fenced."""
    guard(connection, lease)
    key = f"queue_down:{account_id}"
    if trouble is None:
        close_alerts(connection, [key], now)
        return
    impact = "orders come by polling alone, some minutes later"
    told = Alert(key, "queue_down", impact, f"the queue of {account}: {trouble}", account_id, detail=trouble)
    open_alerts(connection, [told], now)
