"""Forget alerts and incidents that were over long ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from syncd.db.lease import Lease, guard
from syncd.db.tables import alert, incident, outbox

KEPT_DAYS: Final = 90


def prune_alerts(connection: Connection, lease: Lease, limit: int, now: datetime) -> int:
    """Forget up to `limit` of each that were closed three months ago. Returns how many at most of one kind."""
    guard(connection, lease)
    before = now - timedelta(days=KEPT_DAYS)
    untold = select(outbox.c.alert_id).where(outbox.c.alert_id.is_not(None))
    old_alerts = select(alert.c.id).where(alert.c.closed_at < before, alert.c.id.not_in(untold)).limit(limit)
    alerts = connection.execute(delete(alert).where(alert.c.id.in_(old_alerts))).rowcount
    old_incidents = select(incident.c.id).where(incident.c.closed_at < before).limit(limit)
    incidents = connection.execute(delete(incident).where(incident.c.id.in_(old_incidents))).rowcount
    return max(alerts, incidents)
