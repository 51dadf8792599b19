"""Leases: who may act on an account, with a fencing token checked inside the transaction. All instants are real."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Executable, and_, select, update

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import lease
from syncd.errors import SyncdError

TERM_S = 30.0


class Fenced(SyncdError):
    """Another process holds the lease now: this one must stop acting at once."""

    def __init__(self, name: str, holder: str | None) -> None:
        super().__init__(f"the lease {name!r} is held by {holder or 'nobody'}: this process stops acting on it")
        self.name = name
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    token: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else's live lease."""

    name: str
    holder: str
    expires_at: datetime


def this_process() -> str:
    """A name for this process that tells after a crash that it is gone: host, boot, pid and start."""
    return f"{platform.node()}/{_boot_id()}/{os.getpid()}/{_started(os.getpid()) or 0}"


def acquire(connection: Connection, name: str, holder: str, now: datetime, term_s: float = TERM_S) -> Lease | Held:
    """Take the lease when it is free, expired, ours, or its holder is a dead process of this host. Grows the token."""
    expires_at = now + timedelta(seconds=term_s)
    # Its row first, so that of two who come first at once one waits for the other, instead of failing.
    insert_rows(
        connection, lease, [("name", str), ("token", int), ("expires_at", datetime)], [(name, 0, now)], ignore=True
    )
    found = connection.execute(select(lease).where(lease.c.name == name).with_for_update()).one()
    free = found.holder in (None, holder) or found.expires_at <= now or _is_dead(found.holder)
    if not free:
        return Held(name, found.holder, found.expires_at)
    token = found.token + 1
    connection.execute(
        update(lease).where(lease.c.name == name).values(holder=holder, token=token, expires_at=expires_at)
    )
    return Lease(name, holder, token, expires_at)


def renew(connection: Connection, held: tuple[Lease, ...], now: datetime, term_s: float = TERM_S) -> tuple[Lease, ...]:
    """Prolong leases that are still ours. Raises Fenced for the first that is not."""
    expires_at = now + timedelta(seconds=term_s)
    ours = [(each.name, each.token, each.holder) for each in held]
    renewed = {row.name for row in _renew(connection, ours=ours, expires_at=expires_at)}
    for each in held:
        if each.name not in renewed:
            raise Fenced(each.name, _holder(connection, each.name))
    return tuple(Lease(each.name, each.holder, each.token, expires_at) for each in held)


@statement
def _renew(given: Given) -> Executable:
    ours = given.rows("ours", name=str, token=int, holder=str)
    # Locked in order of their names, as they are acquired: two processes must not wait for each other.
    locked = (
        select(lease.c.name)
        .join(ours, and_(lease.c.name == ours.c.name, lease.c.token == ours.c.token, lease.c.holder == ours.c.holder))
        .order_by(lease.c.name)
        .with_for_update(of=lease)
        .subquery("locked")
    )
    return (
        update(lease)
        .values(expires_at=given.value("expires_at", datetime))
        .where(lease.c.name == locked.c.name)
        .returning(lease.c.name)
    )


def release(connection: Connection, held: tuple[Lease, ...]) -> None:
    for each in held:
        connection.execute(
            update(lease).where(lease.c.name == each.name, lease.c.token == each.token).values(holder=None)
        )


def guard(connection: Connection, held: Lease) -> None:
    """Raise Fenced unless `held` is still the newest token of its lease, and keep it so until commit."""
    found = _lock(connection, name=held.name).one_or_none()
    if found is None or found.token != held.token or found.holder != held.holder:
        raise Fenced(held.name, found.holder if found else None)


@statement
def _lock(given: Given) -> Executable:
    return (
        select(lease.c.token, lease.c.holder).where(lease.c.name == given.value("name", str)).with_for_update(read=True)
    )


def _holder(connection: Connection, name: str) -> str | None:
    return connection.execute(select(lease.c.holder).where(lease.c.name == name)).scalar_one_or_none()


def process_of(holder: str) -> int | None:
    """The pid of a holder that runs on this host; None for one that does not, or not any more."""
    parts = holder.split("/")
    here = len(parts) == 4 and parts[0] == platform.node() and parts[1] == _boot_id() and parts[2].isdecimal()
    return int(parts[2]) if here and not _is_dead(holder) else None


def _is_dead(holder: str) -> bool:
    """Whether `holder` surely no longer runs: same host, and another boot or no such process."""
    parts = holder.split("/")
    if len(parts) != 4 or parts[0] != platform.node():
        return False
    _, boot, pid, started = parts
    if not boot or not _boot_id() or not pid.isdecimal() or not started.isdecimal():
        return False
    return boot != _boot_id() or _started(int(pid)) != int(started)


def _boot_id() -> str:
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else ""


def _started(pid: int) -> int | None:
    """When a process of this host started, in clock ticks since boot; None when there is none."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if after_name[0] == "Z" else int(after_name[19])
