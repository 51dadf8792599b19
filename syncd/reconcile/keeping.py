"""What a part of the audit's round leaves behind, each in one transaction under the lease that audits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from syncd.db.lease import Lease, guard
from syncd.reconcile.failing import Failing, save_failing, tell_failing
from syncd.reconcile.findings import forget_found, forget_others, note_found, tell_found
from syncd.reconcile.looking import Found, Named
from syncd.reconcile.progress import Pass, save_further


def keep_part(
    connection: Connection,
    lease: Lease,
    found: Sequence[Found],
    gone: Sequence[Named],
    before: datetime,
    at: Pass | None,
    failing: Mapping[str, Failing] | None,
    now: datetime,
) -> None:
    """Keep what was found, forget what is gone and was not seen since `before`, and note how far a pass has come.

    Raises Fenced.
    """
    guard(connection, lease)
    note_found(connection, found, now)
    forget_others(connection, found, now)
    forget_found(connection, gone, before, now)
    if at is not None:
        save_further(connection, at)
    if failing is not None:
        save_failing(connection, failing, now)


def tell_round(
    connection: Connection,
    lease: Lease,
    failed: Sequence[Failing],
    well: Collection[str],
    failing: Mapping[str, Failing],
    now: datetime,
) -> dict[str, int]:
    """Tell people what is wrong and which rules cannot run. Returns what is found, by rule. Raises Fenced."""
    guard(connection, lease)
    tell_failing(connection, failed, well, now)
    if failed or well or failing:
        save_failing(connection, failing, now)
    return tell_found(connection, now)
