"""What couriers note of their route: what became of deliveries, what was given up, whether people know it broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from syncd.alerts.deliveries import Tried, settle
from syncd.alerts.losses import note_lost
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.lease import Lease, guard
from syncd.db.tables import alert


def settle_and_tell(
    connection: Connection,
    lease: Lease,
    route: str,
    tried: Sequence[Tried],
    fallback: str | None,
    real_now: datetime,
    now: datetime,
) -> None:
    """Note what attempts did; those that were given up are told in the same transaction."""
    settle(connection, lease, tried, fallback, real_now)
    lost = [each for each in tried if each.state == "failed"]
    if lost:
        note_lost(connection, route, len(lost), lost[0].reason or "refused", now)


def is_told_broken(connection: Connection, route: str) -> bool:
    """Whether people were told that messages do not get through on a route."""
    open_one = select(alert.c.id).where(alert.c.key == f"route_down:{route}", alert.c.closed_at.is_(None))
    return connection.execute(open_one).scalar_one_or_none() is not None


def note_route(connection: Connection, lease: Lease, route: str, trouble: str | None, now: datetime) -> None:
    """Open or close the alert that messages do not get through on a route."""
    guard(connection, lease)
    key = f"route_down:{route}"
    if trouble is None:
        close_alerts(connection, [key], now)
        return
    message = f"messages do not get through on the route {route}: {trouble}"
    impact = "messages for it wait or take its fallback"
    open_alerts(connection, [Alert(key, "route_down", impact, message, subject=route, detail=trouble)], now)
