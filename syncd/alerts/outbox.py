"""The outbox: what happened and some webhook wants to hear, in the transaction in which it happens.

Which topics are wanted travels with the connection: where none is, nothing is read or written for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Executable, delete, select

from syncd.db.database import TOPICS_OPTION
from syncd.db.lease import Lease, guard
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import alert, outbox

ORDER_ALLOCATED: Final = "order.allocated"
STOCK_CHANGED: Final = "stock.changed"
ALERT_OPENED: Final = "alert.opened"
ALERT_CLOSED: Final = "alert.closed"
TOPICS: Final = (ORDER_ALLOCATED, STOCK_CHANGED, ALERT_OPENED, ALERT_CLOSED)


def is_wanted(connection: Connection, topic: str) -> bool:
    return topic in connection.get_execution_options().get(TOPICS_OPTION, ())


def note_events(connection: Connection, topic: str, bodies: Iterable[object], now: datetime) -> None:
    """Put one row a body into the outbox, all by one statement. The caller has asked `is_wanted`."""
    columns = [("topic", str), ("body", str), ("at", datetime)]
    insert_rows(connection, outbox, columns, [(topic, msgspec.json.encode(body).decode(), now) for body in bodies])


def note_opened(connection: Connection, keys: Collection[str], now: datetime) -> None:
    """Note those of these open alerts that were opened just now, and not only caused again."""
    _note_opened(connection, opened=[(key,) for key in sorted(keys)], now=now)


@statement
def _note_opened(given: Given) -> Executable:
    opened = given.rows("opened", key=str)
    now = given.value("now", datetime)
    picked = select(
        constant(ALERT_OPENED).label("topic"),
        alert.c.id.label("alert_id"),
        constant("{}").label("body"),
        now.label("at"),
    ).where(
        alert.c.closed_at.is_(None),
        alert.c.key.in_(select(opened.c.key)),
        alert.c.times == 1,
        alert.c.opened_at == now,
    )
    return given.insert(outbox, picked)


def note_closing(connection: Connection, closing: Sequence[tuple[str]], now: datetime) -> None:
    """Note those of these alerts that are open, right before they are closed."""
    _note_closing(connection, closing=closing, now=now)


@statement
def _note_closing(given: Given) -> Executable:
    closing = given.rows("closing", key=str)
    now = given.value("now", datetime)
    picked = select(
        constant(ALERT_CLOSED).label("topic"),
        alert.c.id.label("alert_id"),
        constant("{}").label("body"),
        now.label("at"),
    ).where(alert.c.closed_at.is_(None), alert.c.key.in_(select(closing.c.key)))
    return given.insert(outbox, picked)


def forget_events(connection: Connection, lease: Lease, limit: int) -> int:
    """Forget up to `limit` of the oldest events, when there is no webhook to hand them to. Returns how many."""
    guard(connection, lease)
    oldest = select(outbox.c.id).order_by(outbox.c.id).limit(limit)
    return connection.execute(delete(outbox).where(outbox.c.id.in_(oldest))).rowcount
