"""Messages and events that were given up are never lost in silence: an alert a route tells how many and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.statements import constant
from syncd.db.tables import alert

LOST: Final = "messages_lost"
TOLD_FOR: Final = timedelta(days=1)
"""The alert closes so long after the last that was given up: by then nothing more is being lost."""


def lost_key(route: str) -> str:
    return f"{LOST}:{route}"


def note_lost(connection: Connection, route: str, lost: int, why: str, now: datetime) -> None:
    """Tell that `lost` messages for a route were given up. `now`: the seller's time, as in every alert."""
    what = "1 message" if lost == 1 else f"{lost:,} messages"
    message = f"{what} for {route} were given up and will not be sent: {why}"
    impact = "whoever listens there has not heard of it"
    open_alerts(
        connection, [Alert(lost_key(route), LOST, impact, message, subject=route, detail=f"{what}: {why}")], now
    )


def close_old_losses(connection: Connection, now: datetime) -> int:
    """Close the alerts of routes that have lost nothing for a day. Returns how many."""
    found = connection.execute(
        select(alert.c.key).where(
            alert.c.closed_at.is_(None), alert.c.kind == constant(LOST), alert.c.last_seen_at < now - TOLD_FOR
        )
    )
    return close_alerts(connection, found.scalars().all(), now)
