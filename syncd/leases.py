"""Hold this process's leases for as long as it lives, and stop it when one is lost. All times are real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from syncd.clock import real_now
from syncd.db import lease as leases
from syncd.db.database import DatabaseClosed, Transactor
from syncd.db.lease import Fenced, Held, Lease
from syncd.errors import SyncdError

log = structlog.get_logger(__name__)

RENEW_EVERY_S = 5.0
SCHEDULER = "scheduler"


class AlreadyRunning(SyncdError):
    """Another daemon holds the leases of this database."""

    def __init__(self, held: Held, now: datetime) -> None:
        left = max(0, round((held.expires_at - now).total_seconds()))
        host, _, pid, _ = (*held.holder.split("/"), "", "", "")[:4]
        super().__init__(
            f"another syncd (process {pid} on {host}) works on this database: stop it, or start this one with"
            f" --standby to take over when it is gone. Its lease ends in {left} s unless it is renewed."
        )
        self.held = held


def account_lease(key: str) -> str:
    return f"account:{key}"


def warehouse_lease(key: str) -> str:
    return f"warehouse:{key}"


class LeaseKeeper:
    """The leases of one process: taken together, renewed together, given back at the end."""

    def __init__(
        self,
        db: Transactor,
        names: Sequence[str],
        *,
        holder: str | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._db = db
        self._names = tuple(sorted(names))
        self._holder = holder or leases.this_process()
        self._now = now or (lambda: real_now())
        self._held: dict[str, Lease] = {}
        self._turn = asyncio.Lock()  # one given back meanwhile must not look lost to who renews it

    def lease(self, name: str) -> Lease:
        return self._held[name]

    @property
    def names(self) -> frozenset[str]:
        """Of those that are held."""
        return frozenset(self._held)

    async def acquire(self, *, standby: bool = False) -> None:
        """Take every lease or none. Raises AlreadyRunning unless `standby`, which waits for the other to go."""
        told = False
        while True:
            taken = await self._db.transact(_acquire_all, self._names, self._holder, self._now())
            if not isinstance(taken, Held):
                self._held = {each.name: each for each in taken}
                return
            if not standby:
                raise AlreadyRunning(taken, self._now())
            if not told:
                log.info("daemon.standing_by", holder=taken.holder)
                told = True
            await asyncio.sleep(RENEW_EVERY_S)

    async def take(self, names: Iterable[str]) -> tuple[str, ...]:
        """Take those of these leases that are not held yet, or none. Returns them. Raises AlreadyRunning."""
        async with self._turn:
            new = tuple(sorted(set(names) - self._held.keys()))
            taken = await self._db.transact(_acquire_all, new, self._holder, self._now())
            if isinstance(taken, Held):
                raise AlreadyRunning(taken, self._now())
            self._held |= {each.name: each for each in taken}
        return new

    async def retake(self) -> None:
        """Take anew what is held: work that was cut off while it was in the database ends first, or is fenced.

        Raises Fenced when one of them is lost.
        """
        async with self._turn:
            taken = await self._db.transact(_acquire_all, tuple(sorted(self._held)), self._holder, self._now())
            if isinstance(taken, Held):
                raise Fenced(taken.name, taken.holder)
            self._held = {each.name: each for each in taken}

    async def drop(self, names: Iterable[str]) -> None:
        """Give these leases back and keep the others."""
        async with self._turn:
            dropped = tuple(self._held.pop(name) for name in sorted(set(names) & self._held.keys()))
            await self._give_back(dropped)

    async def renew(self) -> None:
        """Prolong all leases. Raises Fenced when one is lost, or could not be renewed before it ended."""
        async with self._turn:
            await self._renew()

    async def _renew(self) -> None:
        try:
            renewed = await self._db.transact(leases.renew, tuple(self._held.values()), self._now())
        except SQLAlchemyError as err:
            first = min(self._held.values(), key=lambda each: each.expires_at)
            if first.expires_at <= self._now():
                raise Fenced(first.name, None) from err
            log.warning("lease.renewal_failed", error=str(getattr(err, "orig", err)))
            return
        self._held |= {each.name: each for each in renewed if each.name in self._held}

    async def release(self) -> None:
        """Give all leases back. Where that fails they end by themselves, and the end of the process goes on."""
        held, self._held = tuple(self._held.values()), {}
        await self._give_back(held)

    async def _give_back(self, held: tuple[Lease, ...]) -> None:
        if not held:
            return
        try:
            await self._db.transact(leases.release, held)
        except (SQLAlchemyError, DatabaseClosed) as err:
            log.warning("lease.release_failed", error=str(getattr(err, "orig", err)))


def _acquire_all(connection: Connection, names: Sequence[str], holder: str, now: datetime) -> tuple[Lease, ...] | Held:
    taken: list[Lease] = []
    for name in names:
        found = leases.acquire(connection, name, holder, now)
        if isinstance(found, Held):
            leases.release(connection, tuple(taken))
            return found
        taken.append(found)
    return tuple(taken)
