"""Facts that nobody's work runs into: a disk that fills up, a book that does not add up, somebody else's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from adapters.contract import Clock
from syncd.alerts.disks import Disk, Space, space_of
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.insight.store import read_tallies
from syncd.loops import Job
from syncd.reconcile.auditor import Auditor

log = structlog.get_logger(__name__)

_DISK: Final = "disk_low"
_DRIFT_OVER: Final = timedelta(minutes=30)
_DRIFTS: Final = ("units_surplus",)  # units_relisted are of our own writes: nobody else is to be asked


class Watch:
    """Looks after these facts in the daemon, under the scheduler's lease."""

    def __init__(
        self,
        db: Transactor,
        clock: Clock,
        lease: Callable[[], Lease],
        accounts: Mapping[str, int],
        disks: Sequence[Disk],
        space: Callable[[Path], Space] = space_of,
    ) -> None:
        self._db = db
        self._clock = clock
        self._lease = lease
        self._accounts = accounts
        self._disks = tuple(disks)
        self._space = space
        self._auditor = Auditor(db, clock, lease)
        self._low = {each.key for each in disks}  # an earlier process may have left alerts open
        self._drifted: dict[str, int] | None = None
        self._drifted_at: dict[str, datetime] = {}
        self._drift_units: Counter[str] = Counter()  # since the alert was opened

    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("watch_audit", 600.0, self.audit),
            Job("watch_drift", 60.0, self.drift),
            Job("watch_disk", 60.0, self.disk, at_start=True),
        )

    async def disk(self) -> None:
        """Open or close the alert of each disk that is nearly full."""
        for each in self._disks:
            space = self._space(each.folder)
            was_low = each.key in self._low
            low = space.is_low(was_low=was_low)
            if low or was_low:
                await self._db.transact(note_disk, self._lease(), each, space if low else None, self._clock.now())
            self._low = self._low | {each.key} if low else self._low - {each.key}

    async def audit(self) -> None:
        """Audit what is new and what was wrong, and a part of the book: all of it once a day."""
        await self._auditor.round()

    async def drift(self) -> None:
        """Open an alert for each account whose numbers somebody else raised; close it half an hour after the last."""
        now = self._clock.now()
        seen = await self._db.read(read_drift, tuple(self._accounts))
        before = self._drifted
        if before is None:  # whoever ran before may have left some open: they close half an hour from now
            self._drifted = seen
            self._drifted_at = dict.fromkeys(self._accounts, now)
            return
        moved = {key: n - before.get(key, 0) for key, n in seen.items() if n > before.get(key, 0)}
        over = [key for key, at in self._drifted_at.items() if key not in moved and now - at >= _DRIFT_OVER]
        if moved or over:
            opened = {self._accounts[key]: (key, self._drift_units[key] + units) for key, units in moved.items()}
            closed = [self._accounts[key] for key in over]
            await self._db.transact(note_drift, self._lease(), opened, closed, now)
        self._drifted = seen  # only now: what could not be told is told the next time
        self._drift_units.update(moved)
        self._drifted_at.update(dict.fromkeys(moved, now))
        for key in over:
            del self._drifted_at[key]
            del self._drift_units[key]


def note_disk(connection: Connection, lease: Lease, disk: Disk, low: Space | None, now: datetime) -> None:
    guard(connection, lease)
    if low is None:
        close_alerts(connection, [disk.key], now)
        return
    left = f"{low.free / 1024**2:,.0f} MiB of {low.total / 1024**3:,.0f} GiB"
    message = f"the disk of {disk.use} ({disk.folder}) has {left} left: make room"
    told = Alert(disk.key, _DISK, disk.impact, message, subject=disk.use, detail=left)
    open_alerts(connection, [told], now)


def read_drift(connection: Connection, accounts: tuple[str, ...]) -> dict[str, int]:
    """Units that numbers showed above what we wrote, ever, by account."""
    tallies = read_tallies(connection)
    return {key: sum(tallies.get((f"account:{key}", name), 0) for name in _DRIFTS) for key in accounts}


def note_drift(
    connection: Connection,
    lease: Lease,
    opened: Mapping[int, tuple[str, int]],
    closed: list[int],
    now: datetime,
) -> None:
    guard(connection, lease)
    alerts = [
        Alert(
            f"drift:{account_id}",
            "drift",
            f"{units} units were on sale that are not there",
            f"numbers at {key} were {units} units higher than anything syncd wrote explains: somebody else sets them",
            account_id,
            subject=key,
            units=units,
        )
        for account_id, (key, units) in opened.items()
    ]
    open_alerts(connection, alerts, now)
    close_alerts(connection, [f"drift:{account_id}" for account_id in closed], now)
