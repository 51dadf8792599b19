"""Incidents in the database: alerts that belong together, which of them are open, and what people were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Connection,
    Executable,
    and_,
    select,
    update,
)

from syncd.db.statements import Given, statement
from syncd.db.tables import account, alert, incident, warehouse

SETTLED_S: Final = 15.0
LATEST_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Incident:
    """`messages`: how often people were told of it since it last began; `flaps`: how often it came back."""

    id: int
    kind: str
    scope: str
    opened_at: datetime
    tell_at: datetime | None
    told_at: datetime | None
    quiet_at: datetime | None
    messages: int
    flaps: int

    @property
    def over_at(self) -> datetime | None:
        """When it counts as over, if it stays quiet until then."""
        if self.quiet_at is None:
            return None
        return self.quiet_at + timedelta(seconds=min(LATEST_S, SETTLED_S * 2**self.flaps))


def read_open(connection: Connection) -> tuple[Incident, ...]:
    """Every open incident: there are never more than kinds times accounts and warehouses."""
    return tuple(
        Incident(
            row.id,
            row.kind,
            row.warehouse or row.account or "",
            row.opened_at,
            row.tell_at,
            row.told_at,
            row.quiet_at,
            row.messages,
            row.flaps,
        )
        for row in _open(connection)
    )


@statement
def _open(_: Given) -> Executable:
    return (
        select(incident, account.c.key.label("account"), warehouse.c.key.label("warehouse"))
        .outerjoin(account, account.c.id == incident.c.account_id)
        .outerjoin(warehouse, warehouse.c.id == incident.c.warehouse_id)
        .where(incident.c.closed_at.is_(None))
        .order_by(incident.c.id)
    )


def note_told(connection: Connection, down: Sequence[Incident], over: Sequence[Incident], now: datetime) -> None:
    """People were told of these, and of all their causes that are open now; those that are over are closed."""
    if down:
        ids = [(each.id,) for each in down]
        _note_told(connection, told=ids, now=now)
        _note_causes_told(connection, told=ids, now=now)
    if over:
        _close(connection, over=[(each.id,) for each in over], now=now)


@statement
def _note_told(given: Given) -> Executable:
    told = given.rows("told", id=int)
    return (
        update(incident)
        .where(incident.c.id == told.c.id)
        .values(tell_at=None, told_at=given.value("now", datetime), messages=incident.c.messages + 1)
    )


@statement
def _note_causes_told(given: Given) -> Executable:
    told = given.rows("told", id=int)
    open_one = and_(alert.c.closed_at.is_(None), alert.c.told_at.is_(None))
    return update(alert).where(open_one, alert.c.incident_id == told.c.id).values(told_at=given.value("now", datetime))


@statement
def _close(given: Given) -> Executable:
    over = given.rows("over", id=int)
    return (
        update(incident).where(incident.c.id == over.c.id).values(closed_at=given.value("now", datetime), tell_at=None)
    )
