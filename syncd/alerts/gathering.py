"""From open alerts to incidents: what belongs together, when people are to hear of it, and when it is quiet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    and_,
    case,
    func,
    literal_column,
    select,
    update,
)

from syncd.alerts.incidents import LATEST_S
from syncd.alerts.kinds import Severity, kind_of
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import alert, incident

FLAPS_WITHIN: Final = timedelta(minutes=30)
"""What comes back within this after it was over is the same incident again, and told ever later."""

_NEWS_AGAIN_S: Final = 300.0
_NEWS_AGAIN_LATEST_S: Final = 3600.0
SEVERE_NEWS_S: Final = 60.0
"""A critical cause that nobody was told of within the last hour waits no longer than this, however damped the rest."""


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
    found = _untold(connection, since=now - timedelta(seconds=_NEWS_AGAIN_LATEST_S)).all()
    if found:
        groups = {incident_key(row.kind, row.account_id, row.warehouse_id): row for row in reversed(found)}
        severe = {
            incident_key(row.kind, row.account_id, row.warehouse_id)
            for row in found
            if row.news and kind_of(row.kind).severity is Severity.CRITICAL
        }
        known = _reopen(connection, groups.keys(), severe, now)
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
def _untold(given: Given) -> Executable:
    """By kind and place: since when, and how many of the causes are news, of which nobody was told lately."""
    earlier = alert.alias("earlier")
    lately = and_(earlier.c.key == alert.c.key, earlier.c.told_at > given.value("since", datetime))
    told: Select[Any] = select(literal_column("1")).where(lately).correlate(alert)
    return (
        select(
            alert.c.kind,
            alert.c.account_id,
            alert.c.warehouse_id,
            func.min(alert.c.opened_at).label("first_at"),
            func.sum(case((~told.exists(), 1), else_=0)).label("news"),
        )
        .where(alert.c.closed_at.is_(None), alert.c.incident_id.is_(None))
        .group_by(alert.c.kind, alert.c.account_id, alert.c.warehouse_id)
        .order_by(alert.c.kind, alert.c.account_id, alert.c.warehouse_id)
    )


def _reopen(connection: Connection, keys: Collection[str], severe: Collection[str], now: datetime) -> set[str]:
    """Open incidents get more to tell, those over a short while ago begin again. Returns the keys of both.

    `severe`: of these a critical cause is news.
    """
    wanted = [(key,) for key in sorted(keys)]
    found = _open_or_recent(connection, wanted=wanted, since=now - FLAPS_WITHIN).all()
    again: dict[str, tuple[int, datetime | None, int]] = {}
    for row in found:
        tell_at = _told_again_at(row, row.key in severe, now)
        if row.closed_at is not None:
            again.setdefault(row.key, (row.id, tell_at, 1))
        else:
            again[row.key] = (row.id, tell_at, 0)
    if again:
        _begin_again(connection, again=[(*each, now) for each in again.values()])
    return set(again)


def _told_again_at(row: Row[Any], severe_news: bool, now: datetime) -> datetime | None:
    """When people are to hear that an incident has more causes, or is back: ever later, but for severe news."""
    kind, due_at = kind_of(row.kind), cast("datetime | None", row.tell_at)
    if row.closed_at is not None:
        late_s = min(LATEST_S, kind.wait_s * 2 ** (row.flaps + 1))
        return now + timedelta(seconds=min(SEVERE_NEWS_S, late_s) if severe_news else late_s)
    told_at = cast("datetime | None", row.told_at)
    if told_at is None:
        soon_at = now + timedelta(seconds=SEVERE_NEWS_S)
    elif kind.single:
        return None
    else:
        pause_s = min(_NEWS_AGAIN_LATEST_S, _NEWS_AGAIN_S * 2 ** max(0, row.messages - 1))
        soon_at = max(now + _wait(row.kind), told_at + timedelta(seconds=SEVERE_NEWS_S if severe_news else pause_s))
    if due_at is None:
        return None if told_at is None else soon_at
    return min(due_at, soon_at) if severe_news else due_at


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
