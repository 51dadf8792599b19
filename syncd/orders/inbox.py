"""The inbox in the database: raw news, durable before it is acknowledged, settled together with its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, select, update

from syncd.db.statements import Given, constant, statement
from syncd.db.tables import inbox
from syncd.db.types import to_micros


@dataclass(frozen=True, slots=True)
class Arrived:
    """News as it goes into the inbox."""

    account_id: int
    event_key: str
    topic: str
    way: str
    body: bytes


@dataclass(frozen=True, slots=True)
class InboxRow:
    inbox_id: int
    account_id: int
    event_key: str
    topic: str
    way: str
    body: bytes


HORIZON_TOPIC = "syncd/horizon"
"""A marker behind the last order of a complete poll: when it is reached, the book knows all that the poll saw."""


def insert_arrived(connection: Connection, arrived: Sequence[Arrived], now: datetime) -> int:
    """Insert news not yet known by its event key, in one statement. Returns how many rows were new."""
    if not arrived:
        return 0
    placeholder = "?" if connection.dialect.name == "sqlite" else "%s"
    one = "(" + ", ".join([placeholder] * 7) + ")"
    values: list[object] = []
    received = to_micros(now)
    for each in arrived:
        values += [each.account_id, each.event_key, each.topic, each.way, each.body, "new", received]
    # Bodies are bytes, which JSON cannot carry, so these rows go in as one VALUES list.
    insert = (
        "INSERT INTO inbox (account_id, event_key, topic, way, body, state, received_at) VALUES "
        + ", ".join([one] * len(arrived))
        + " ON CONFLICT (account_id, event_key) DO NOTHING"
    )
    return connection.exec_driver_sql(insert, tuple(values)).rowcount


def load_new(connection: Connection, limit: int) -> list[InboxRow]:
    """The oldest news not yet settled."""
    return [
        InboxRow(row.id, row.account_id, row.event_key, row.topic, row.way, bytes(row.body or b""))
        for row in _new(connection, limit=limit)
    ]


@statement
def _new(given: Given) -> Executable:
    return (
        select(inbox.c.id, inbox.c.account_id, inbox.c.event_key, inbox.c.topic, inbox.c.way, inbox.c.body)
        .where(inbox.c.state == constant("new"))
        .order_by(inbox.c.id)
        .limit(given.value("limit", int))
    )


def settle_rows(connection: Connection, settled: Sequence[tuple[int, str, str | None]], now: datetime) -> None:
    """Note what became of inbox rows: (id, state, reason)."""
    if settled:
        _settle(connection, settled=settled, now=now)


@statement
def _settle(given: Given) -> Executable:
    settled = given.rows("settled", id=int, state=str, reason=str)
    return (
        update(inbox)
        .values(
            state=settled.c.state,
            reason=settled.c.reason,
            settled_at=given.value("now", datetime),
            attempts=inbox.c.attempts + 1,
        )
        .where(inbox.c.id == settled.c.id)
    )
