"""What nobody waits for any more, and what never ends by itself: given up, forgotten or closed, in bounded steps.

It works whether or not anybody is to be told: what an earlier configuration left behind goes as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from adapters.contract import Clock
from syncd.alerts.deliveries import prune
from syncd.alerts.given_up import GIVEN_UP, forget_routes, give_up
from syncd.alerts.losses import close_old_losses, note_lost
from syncd.alerts.outbox import forget_events
from syncd.alerts.overdue import Known, read_overdue
from syncd.alerts.store import close_alerts
from syncd.alerts.tidying import prune_alerts
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.loops import Job

log = structlog.get_logger(__name__)

EVERY_S: Final = 600.0
CHUNK: Final = 500


class Upkeep:
    """Runs under the scheduler's lease. `real_now`: deliveries know no seller's time."""

    def __init__(
        self,
        db: Transactor,
        clock: Clock,
        lease: Callable[[], Lease],
        real_now: Callable[[], datetime],
        known: Known,
    ) -> None:
        self._db = db
        self._clock = clock
        self._lease = lease
        self._real_now = real_now
        self._known = known

    def jobs(self) -> tuple[Job, ...]:
        return (Job("alert_upkeep", EVERY_S, self.run, at_start=True),)

    async def run(self) -> None:
        await self._give_up()
        await self._forget()
        await self._close()

    async def _give_up(self) -> None:
        lost = await self._all(
            lambda: self._db.transact(forget_routes, self._lease(), tuple(self._known.routes), CHUNK, self._real_now())
        )
        if lost:
            log.warning("messages.given_up", deliveries=lost, reason="no such route any more")
        for route in sorted(self._known.routes):
            await self._give_up_of(route)

    async def _give_up_of(self, route: str) -> None:
        lost, step = 0, CHUNK
        while step >= CHUNK:
            step = await self._db.transact(
                give_up_and_tell, self._lease(), route, lost, self._real_now(), self._clock.now()
            )
            lost += step
        if lost:
            log.error("messages.given_up", route=route, deliveries=lost, reason=GIVEN_UP)

    async def _forget(self) -> None:
        if not self._known.topics:
            await self._all(lambda: self._db.transact(forget_events, self._lease(), CHUNK))
        await self._all(lambda: self._db.transact(prune, self._lease(), CHUNK, self._real_now()))
        await self._all(lambda: self._db.transact(prune_alerts, self._lease(), CHUNK, self._clock.now()))

    async def _close(self) -> None:
        await self._db.transact(_close_losses, self._lease(), self._clock.now())
        while True:
            keys = await self._db.read(read_overdue, self._known, CHUNK)
            if not keys:
                return
            await self._db.transact(_close_all, self._lease(), keys, self._clock.now())

    @staticmethod
    async def _all(step: Callable[[], Awaitable[int]]) -> int:
        """Repeat a step of up to CHUNK until it finds less. Returns how many there were."""
        done = found = await step()
        while found >= CHUNK:
            found = await step()
            done += found
        return done


def give_up_and_tell(
    connection: Connection, lease: Lease, route: str, before: int, real_now: datetime, now: datetime
) -> int:
    """Give up a chunk of what waits in vain, and tell of it in the same transaction; `before`: of earlier chunks."""
    lost = give_up(connection, lease, route, CHUNK, real_now)
    if lost:
        note_lost(connection, route, before + lost, GIVEN_UP, now)
    return lost


def _close_losses(connection: Connection, lease: Lease, now: datetime) -> int:
    guard(connection, lease)
    return close_old_losses(connection, now)


def _close_all(connection: Connection, lease: Lease, keys: tuple[str, ...], now: datetime) -> int:
    guard(connection, lease)
    return close_alerts(connection, keys, now)
