"""Incidents in the database: alerts that belong together, when people are to hear of them, and when they are over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Executable, Select, and_, case, func, literal_column, select, update

from syncd.alerts.kinds import kind_of
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import account, alert, incident, warehouse

FLAPS_WITHIN: Final = timedelta(minutes=30)
"""What comes back within this after it was over is the same incident again, and told ever later."""

SETTLED_S: Final = 15.0
_LATEST_S: Final = 1800.0
_NEWS_AGAIN_S: Final = 300.0
_NEWS_AGAIN_LATEST_S: Final = 3600.0


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
        return self.quiet_at + timedelta(seconds=min(_LATEST_S, SETTLED_S * 2**self.flaps))


def anything_new(connection: Connection) -> bool:
    """Whether there are open alerts of which nobody was told."""
    return _untold_one(connection).scalar_one_or_none() is not None


@statement
def _untold_one(_: Given) -> Executable:
    return select(alert.c.id).where(alert.c.closed_at.is_(None), alert.c.incident_id.is_(None)).limit(1)


def anything_quiet(connection: Connection) -> bool:
    """Whether an open incident has lost its last cause, and that is not noted yet."""
    return _newly_quiet_one(connection).scalar_one_or_none() is not None


@statement
def _newly_quiet_one(_: Given) -> Executable:
    return select(incident.c.id).where(_is_newly_quiet()).limit(1)


def _is_newly_quiet() -> ColumnElement[bool]:
    open_one = and_(alert.c.incident_id == incident.c.id, alert.c.closed_at.is_(None))
    cause: Select[Any] = select(literal_column("1")).where(open_one)
    return and_(incident.c.closed_at.is_(None), incident.c.quiet_at.is_(None), ~cause.exists())


def gather(connection: Connection, now: datetime) -> None:
    """Put every open alert that is in no incident into one, and note which incidents are quiet."""
    found = _untold(connection).all()
    if found:
        groups = {incident_key(row.kind, row.account_id, row.warehouse_id): row for row in reversed(found)}
        known = _reopen(connection, groups.keys(), now)
        new = [(key, groups[key]) for key in sorted(groups.keys() - known)]
        insert_rows(
            connection,
            incident,
            [
                ("key", str),
                ("kind", str),
                ("account_id", int),
                ("warehouse_id", int),
                ("opened_at", datetime),
                ("tell_at", datetime),
            ],
            [
                (key, row.kind, row.account_id, row.warehouse_id, row.first_at, now + _wait(row.kind))
                for key, row in new
            ],
            ignore=True,
        )
        _join(
            connection,
            joined=[
                (row.kind, row.account_id, row.warehouse_id, incident_key(row.kind, row.account_id, row.warehouse_id))
                for row in found
            ],
        )
    _note_quiet(connection, now=now)
    _close_untold(connection, now=now)


def _wait(kind: str) -> timedelta:
    return timedelta(seconds=kind_of(kind).wait_s)


def incident_key(kind: str, account_id: int | None, warehouse_id: int | None) -> str:
    """What happens at one warehouse belongs together, else what happens to one account."""
    if warehouse_id is not None:
        return f"{kind}:w{warehouse_id}"
    return kind if account_id is None else f"{kind}:a{account_id}"


@statement
def _untold(_: Given) -> Executable:
    return (
        select(alert.c.kind, alert.c.account_id, alert.c.warehouse_id, func.min(alert.c.opened_at).label("first_at"))
        .where(alert.c.closed_at.is_(None), alert.c.incident_id.is_(None))
        .group_by(alert.c.kind, alert.c.account_id, alert.c.warehouse_id)
        .order_by(alert.c.kind, alert.c.account_id, alert.c.warehouse_id)
    )


def _reopen(connection: Connection, keys: Collection[str], now: datetime) -> set[str]:
    """Open incidents get more to tell, those over a short while ago begin again. Returns the keys of both."""
    wanted = [(key,) for key in sorted(keys)]
    found = _open_or_recent(connection, wanted=wanted, since=now - FLAPS_WITHIN).all()
    again: dict[str, tuple[int, datetime | None, int]] = {}
    for row in found:
        kind = kind_of(row.kind)
        if row.closed_at is not None:
            late_s = min(_LATEST_S, kind.wait_s * 2 ** (row.flaps + 1))
            again.setdefault(row.key, (row.id, now + timedelta(seconds=late_s), 1))
        elif row.told_at is None:
            again[row.key] = (row.id, row.tell_at, 0)
        elif kind.single:
            again[row.key] = (row.id, None, 0)
        else:
            pause_s = min(_NEWS_AGAIN_LATEST_S, _NEWS_AGAIN_S * 2 ** max(0, row.messages - 1))
            due_at = max(now + _wait(row.kind), row.told_at + timedelta(seconds=pause_s))
            again[row.key] = (row.id, row.tell_at or due_at, 0)
    if again:
        _begin_again(connection, again=[(*each, now) for each in again.values()])
    return set(again)


@statement
def _open_or_recent(given: Given) -> Executable:
    wanted = given.rows("wanted", key=str)
    return (
        select(incident)
        .join(wanted, wanted.c.key == incident.c.key)
        .where(incident.c.closed_at.is_(None) | (incident.c.closed_at > given.value("since", datetime)))
        .order_by(incident.c.closed_at.is_not(None), incident.c.closed_at.desc())
    )


@statement
def _begin_again(given: Given) -> Executable:
    again = given.rows("again", id=int, tell_at=datetime, flapped=int, now=datetime)
    was_over = again.c.flapped == 1
    return (
        update(incident)
        .where(incident.c.id == again.c.id)
        .values(
            tell_at=again.c.tell_at,
            quiet_at=None,
            closed_at=None,
            flaps=incident.c.flaps + again.c.flapped,
            opened_at=case((was_over, again.c.now), else_=incident.c.opened_at),
            told_at=case((was_over, None), else_=incident.c.told_at),
            messages=case((was_over, 0), else_=incident.c.messages),
        )
    )


@statement
def _join(given: Given) -> Executable:
    joined = given.rows("joined", kind=str, account_id=int, warehouse_id=int, key=str)
    return (
        update(alert)
        .where(
            alert.c.closed_at.is_(None),
            alert.c.incident_id.is_(None),
            alert.c.kind == joined.c.kind,
            alert.c.account_id.is_not_distinct_from(joined.c.account_id),
            alert.c.warehouse_id.is_not_distinct_from(joined.c.warehouse_id),
            incident.c.key == joined.c.key,
            incident.c.closed_at.is_(None),
        )
        .values(incident_id=incident.c.id)
    )


@statement
def _note_quiet(given: Given) -> Executable:
    return update(incident).where(_is_newly_quiet()).values(quiet_at=given.value("now", datetime))


@statement
def _close_untold(given: Given) -> Executable:
    """What was over before anybody was told of it never gets a message."""
    return (
        update(incident)
        .where(incident.c.closed_at.is_(None), incident.c.quiet_at.is_not(None), incident.c.told_at.is_(None))
        .values(closed_at=given.value("now", datetime), tell_at=None)
    )


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
