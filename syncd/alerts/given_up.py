"""What waits in vain for a route, or for one that is gone: given up in bounded steps, each found by an index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, and_, select, update

from syncd.alerts.deliveries import GIVE_UP
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import delivery

MOST_WAITING: Final = 100_000
"""So many messages may wait for one route; of more, the oldest are given up."""

GIVEN_UP: Final = "could not be sent for three days, or too much waits there"
NO_SUCH_ROUTE: Final = "the configuration has no such route any more"


def give_up(connection: Connection, lease: Lease, route: str, limit: int, now: datetime) -> int:
    """Give up up to `limit` messages that have waited three days for a route, or are beyond what may wait there.

    What is newest stays. News of stock takes the place of older news of the same level, so that there is never more of
    it than levels: it is not counted. Returns how many; their bodies are gone.
    """
    guard(connection, lease)
    newest_too_many = _beyond(connection, route=route, most=MOST_WAITING).scalar_one_or_none()
    ids = set(_waited_too_long(connection, route=route, before=now - GIVE_UP, limit=limit).scalars())
    if newest_too_many is not None:
        ids |= set(_up_to(connection, route=route, newest=newest_too_many, limit=limit).scalars())
    some = [(each,) for each in sorted(ids)[:limit]]
    return _give_up(connection, lost=some, reason=GIVEN_UP, now=now).rowcount if some else 0


@statement
def _waited_too_long(given: Given) -> Executable:
    return (
        select(delivery.c.id)
        .where(_waits(given), delivery.c.created_at < given.value("before", datetime))
        .order_by(delivery.c.created_at)
        .limit(given.value("limit", int))
    )


@statement
def _beyond(given: Given) -> Executable:
    return (
        select(delivery.c.id)
        .where(_waits(given), delivery.c.subject.is_(None))
        .order_by(delivery.c.id.desc())
        .offset(given.value("most", int))
        .limit(1)
    )


@statement
def _up_to(given: Given) -> Executable:
    return (
        select(delivery.c.id)
        .where(_waits(given), delivery.c.subject.is_(None), delivery.c.id <= given.value("newest", int))
        .order_by(delivery.c.id)
        .limit(given.value("limit", int))
    )


def _waits(given: Given) -> ColumnElement[bool]:
    return and_(delivery.c.route == given.value("route", str), delivery.c.state == constant("waiting"))


@statement
def _give_up(given: Given) -> Executable:
    lost = given.rows("lost", id=int)
    return (
        update(delivery)
        .where(delivery.c.id.in_(select(lost.c.id)), delivery.c.state == constant("waiting"))
        .values(state="failed", body="", reason=given.value("reason", str), settled_at=given.value("now", datetime))
    )


def forget_routes(connection: Connection, lease: Lease, known: Iterable[str], limit: int, now: datetime) -> int:
    """Give up up to `limit` that wait for routes that the configuration no longer has. Returns how many."""
    guard(connection, lease)
    gone = select(delivery.c.id).where(delivery.c.state == constant("waiting"), delivery.c.route.not_in(sorted(known)))
    some = [(each,) for each in connection.execute(gone.limit(limit)).scalars()]
    return _give_up(connection, lost=some, reason=NO_SUCH_ROUTE, now=now).rowcount if some else 0
