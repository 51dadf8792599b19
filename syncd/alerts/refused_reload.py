"""A changed configuration that was refused: an alert for each thing that is wrong, until one is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.lease import Lease, guard
from syncd.db.statements import constant
from syncd.db.tables import alert
from syncd.errors import ConfigError, SyncdError

REFUSED: Final = "reload_refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `where` in the file, or empty, and `what` with its remedy. Neither holds a secret."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what

    @property
    def message(self) -> str:
        return f"refused because of {self}"

    @property
    def alert_key(self) -> str:
        return f"{REFUSED}:{self.where or self.what}"


def problems_of(err: Exception) -> tuple[Problem, ...]:
    """Why a configuration was refused. What is no error of ours is told by its type: its text may quote a secret."""
    if isinstance(err, ConfigError):
        return tuple(Problem(each.key, f"{each.problem}. {each.remedy}") for each in err.problems)
    if isinstance(err, SyncdError):
        return (Problem("", str(err)),)
    return (Problem("", f"it failed with {type(err).__name__}: see the log"),)


def note_reloaded(connection: Connection, lease: Lease, problems: Iterable[Problem], now: datetime) -> None:
    """Tell of what is wrong now, and close what an earlier attempt had told; no problems: it was taken."""
    guard(connection, lease)
    impact = "syncd works by the configuration from before"
    alerts = [
        Alert(each.alert_key, REFUSED, impact, each.message, subject=each.where, detail=each.what) for each in problems
    ]
    refused = (alert.c.kind == constant(REFUSED), alert.c.closed_at.is_(None))
    earlier = set(connection.execute(select(alert.c.key).where(*refused)).scalars())
    close_alerts(connection, earlier - {each.key for each in alerts}, now)
    open_alerts(connection, alerts, now)
