"""Deliveries in the database: what waits for a route, what an attempt did, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    delete,
    func,
    literal_column,
    select,
    update,
)

from syncd.db.lease import Lease, guard
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import delivery

KEPT_DAYS: Final = 7
GIVE_UP: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one route. `subject`: one that waits there with the same is no longer wanted."""

    route: str
    key: str
    topic: str
    body: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is tried now, for the `attempts`th time."""

    id: int
    key: str
    body: str
    attempts: int
    created_at: datetime


def enqueue(connection: Connection, outgoing: Sequence[Outgoing], now: datetime) -> None:
    """Let messages wait for their routes, each key once a route. All instants of deliveries are real."""
    plain = [each for each in outgoing if each.subject is None]
    columns: list[tuple[str, Any]] = [
        ("route", str),
        ("key", str),
        ("topic", str),
        ("body", str),
        ("created_at", datetime),
        ("next_at", datetime),
    ]
    rows = [(each.route, each.key, each.topic, each.body, now, now) for each in plain]
    insert_rows(connection, delivery, columns, rows, ignore=True)
    newest = {(each.route, each.subject): each for each in outgoing if each.subject is not None}
    if newest:
        data = [(e.route, e.key, e.topic, e.body, e.subject, now, now) for e in newest.values()]
        _replace(connection, newest=data)


@statement
def _replace(given: Given) -> Executable:
    rows = given.rows(
        "newest", route=str, key=str, topic=str, body=str, subject=str, created_at=datetime, next_at=datetime
    )
    new = given.insert(delivery, rows)
    return new.on_conflict_do_update(
        index_elements=["route", "subject"],
        index_where=literal_column("state") == constant("waiting"),
        # An attempt under way is of the old key; what has waited three days is not this news.
        set_={"key": new.excluded.key, "body": new.excluded.body, "created_at": new.excluded.created_at},
    )


def next_due(connection: Connection, route: str) -> datetime | None:
    """When the next waiting delivery of a route is due; None when none waits."""
    return _next_due(connection, route=route).scalar_one_or_none()


@statement
def _next_due(given: Given) -> Executable:
    return (
        select(delivery.c.next_at)
        .where(delivery.c.route == given.value("route", str), delivery.c.state == constant("waiting"))
        .order_by(delivery.c.next_at)
        .limit(1)
    )


def claim(
    connection: Connection, lease: Lease, route: str, most: int, now: datetime, again_at: datetime
) -> tuple[Claimed, ...]:
    """Count an attempt of what is due. Should this process end now, they are due again at `again_at`.

    What has waited longest for its turn comes first. Where one goes at a time, as to people, it is the oldest: they
    must not read that it is over before they read what.
    """
    guard(connection, lease)
    due = _oldest if most == 1 else _due
    found = due(connection, route=route, now=now, most=most).all()
    if found:
        _count_attempt(connection, tried=[(row.id,) for row in found], again_at=again_at)
    return tuple(Claimed(row.id, row.key, row.body, row.attempts + 1, row.created_at) for row in found)


@statement
def _due(given: Given) -> Executable:
    return _waiting(given).order_by(delivery.c.next_at, delivery.c.id).limit(given.value("most", int))


@statement
def _oldest(given: Given) -> Executable:
    return _waiting(given).order_by(delivery.c.id).limit(given.value("most", int))


def _waiting(given: Given) -> Select[Any]:
    return select(delivery.c.id, delivery.c.key, delivery.c.body, delivery.c.attempts, delivery.c.created_at).where(
        delivery.c.route == given.value("route", str),
        delivery.c.state == constant("waiting"),
        delivery.c.next_at <= given.value("now", datetime),
    )


@statement
def _count_attempt(given: Given) -> Executable:
    tried = given.rows("tried", id=int)
    return (
        update(delivery)
        .where(delivery.c.id.in_(select(tried.c.id)))
        .values(attempts=delivery.c.attempts + 1, next_at=given.value("again_at", datetime))
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a claimed delivery: sent, failed (for ever), passed_on, or waiting until `next_at`."""

    id: int
    key: str
    state: str
    reason: str | None
    next_at: datetime


def settle(connection: Connection, lease: Lease, tried: Sequence[Tried], fallback: str | None, now: datetime) -> None:
    """Note what attempts did, and let `fallback` have what is passed on. One replaced meanwhile goes on waiting."""
    guard(connection, lease)
    passed = [(each.id, each.key) for each in tried if each.state == "passed_on"]
    if passed and fallback is not None:
        _pass_on(connection, passed=passed, fallback=fallback, now=now)
    _settle(
        connection,
        tried=[
            (each.id, each.key, each.state, each.reason, each.next_at, None if each.state == "waiting" else now)
            for each in tried
        ],
    )


def pass_all_on(connection: Connection, lease: Lease, route: str, fallback: str, reason: str, now: datetime) -> int:
    """Let `fallback` have everything that waits for a broken route. Returns how many there were."""
    guard(connection, lease)
    found = connection.execute(
        select(delivery.c.id, delivery.c.key).where(delivery.c.route == route, delivery.c.state == constant("waiting"))
    ).all()
    if found:
        settle(connection, lease, [Tried(row.id, row.key, "passed_on", reason, now) for row in found], fallback, now)
    return len(found)


@statement
def _pass_on(given: Given) -> Executable:
    passed = given.rows("passed", id=int, key=str)
    now = given.value("now", datetime)
    picked = (
        select(
            given.value("fallback", str).label("route"),
            delivery.c.key,
            delivery.c.topic,
            delivery.c.body,
            now.label("created_at"),
            now.label("next_at"),
        )
        .join(passed, (passed.c.id == delivery.c.id) & (passed.c.key == delivery.c.key))
        .order_by(delivery.c.id)
    )
    return given.insert(delivery, picked).on_conflict_do_nothing()


@statement
def _settle(given: Given) -> Executable:
    tried = given.rows("tried", id=int, key=str, state=str, reason=str, next_at=datetime, settled_at=datetime)
    return (
        update(delivery)
        .where(delivery.c.id == tried.c.id, delivery.c.key == tried.c.key, delivery.c.state == "waiting")
        .values({name: tried.c[name] for name in ("state", "reason", "next_at", "settled_at")})
    )


def told_since(connection: Connection, since: datetime) -> tuple[int, datetime | None]:
    """How many different messages to people were made since then, and when the last of them was."""
    found = connection.execute(
        select(
            func.count(func.distinct(delivery.c.key)),
            func.max(delivery.c.created_at, type_=delivery.c.created_at.type),
        ).where(delivery.c.created_at > since, delivery.c.topic.in_(("down", "up")))
    ).one()
    return found[0], found[1]


def prune(connection: Connection, lease: Lease, limit: int, now: datetime) -> int:
    """Forget up to `limit` deliveries that were settled a week ago. Returns how many."""
    guard(connection, lease)
    old = (
        select(delivery.c.id)
        .where(delivery.c.created_at < now - timedelta(days=KEPT_DAYS), delivery.c.state != "waiting")
        .limit(limit)
    )
    return connection.execute(delete(delivery).where(delivery.c.id.in_(old))).rowcount
