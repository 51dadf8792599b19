"""Nobody checks the fencing token: not inside the transaction, and not when the lease is renewed.

In real life: a lease is taken at the start and believed for as long as the process runs. A virtual machine that was
paused goes on in the middle of its work, beside the one that has taken over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from syncd.db.lease import TERM_S, Lease, guard, renew
from tests.simulation.planted.in_place import in_place


def _believe(connection: Connection, held: Lease) -> None:
    return None


def _still_ours(
    connection: Connection, held: tuple[Lease, ...], now: datetime, term_s: float = TERM_S
) -> tuple[Lease, ...]:
    expires_at = now + timedelta(seconds=term_s)
    return tuple(Lease(each.name, each.holder, each.token, expires_at) for each in held)


@contextmanager
def planted() -> Iterator[None]:
    with in_place(guard, _believe), in_place(renew, _still_ours):
        yield
