"""Each round over open shortages closes their alerts and opens them anew: "so that nobody forgets them".

In real life: whoever looks after a queue of alerts learns to look away. One order that lacks a unit is twenty messages
in ten minutes, each with its all-clear.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest import mock

from sqlalchemy import Connection, select

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.tables import alert
from syncd.orders.cover import Covered, cover_shortages


def _and_remind(connection: Connection, views: Any, limit: int, now: datetime, after: Any) -> Covered:
    covered = cover_shortages(connection, views, limit, now, after)
    still = connection.execute(select(alert).where(alert.c.closed_at.is_(None), alert.c.kind == "oversold")).all()
    close_alerts(connection, [row.key for row in still], now)
    again = [Alert(row.key, row.kind, row.impact, row.message, row.account_id) for row in still]
    open_alerts(connection, again, now)
    return covered


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.jobs.cover_shortages", _and_remind)
