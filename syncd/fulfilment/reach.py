"""Whether a warehouse can be reached, told once and taken back by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from adapters.contract import AdapterError, AuthExpired, Clock
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard

log = structlog.get_logger(__name__)

DOWN: Final = "warehouse_down"
AUTH: Final = "warehouse_auth"


class Reach:
    """What of a warehouse works just now: an alert is open as long as any of its activities fails."""

    def __init__(self, warehouse_id: int, key: str, db: Transactor, clock: Clock, lease: Callable[[], Lease]) -> None:
        self._warehouse_id = warehouse_id
        self._key = key
        self._db = db
        self._clock = clock
        self._lease = lease
        self._failing: dict[str, str] = {}
        self._unsure = True  # an earlier process may have left an alert open

    async def failed(self, activity: str, err: AdapterError) -> None:
        kind = AUTH if isinstance(err, AuthExpired) else DOWN
        if not self._failing:
            log.warning(
                "warehouse.down", warehouse=self._key, activity=activity, error=type(err).__name__, detail=str(err)
            )
        self._failing[activity] = kind
        self._unsure = True
        now = self._clock.now()
        await self._db.transact(_tell, self._lease(), self._warehouse_id, self._key, kind, str(err), now)

    async def idle(self, activity: str) -> None:
        """There was nothing to do, so that nothing of it fails any more."""
        if activity in self._failing:
            await self.worked(activity)

    async def worked(self, activity: str) -> None:
        if self._failing.pop(activity, None) is not None and not self._failing:
            log.info("warehouse.recovered", warehouse=self._key)
        if self._unsure and not self._failing:
            await self._db.transact(_untell, self._lease(), self._warehouse_id, self._clock.now())
            self._unsure = bool(self._failing)


def _tell(
    connection: Connection, lease: Lease, warehouse_id: int, key: str, kind: str, trouble: str, now: datetime
) -> None:
    guard(connection, lease)  # who has lost it must open nothing that its successor knows nothing of
    impact = "its stock is not read, and nothing is sent from it, until it works again"
    told = Alert(f"{kind}:{warehouse_id}", kind, impact, f"{key}: {trouble}", warehouse_id=warehouse_id, detail=trouble)
    open_alerts(connection, [told], now)


def _untell(connection: Connection, lease: Lease, warehouse_id: int, now: datetime) -> None:
    guard(connection, lease)
    close_alerts(connection, [f"{kind}:{warehouse_id}" for kind in (DOWN, AUTH)], now)
