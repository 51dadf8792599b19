"""The inbox in the database: raw news, durable before it is acknowledged, settled together with its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

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
    # Bodies are bytes, which JSON cannot carry. A text for each count would drive others out of the drivers' caches.
    rows = [(each.account_id, each.event_key, each.topic, each.way, each.body) for each in arrived]
    received = to_micros(now)
    if connection.dialect.name == "sqlite":
        room = 1 << (len(rows) - 1).bit_length()
        values = [value for row in rows for value in row] + [None] * (5 * (room - len(rows)))
        return connection.exec_driver_sql(_values_insert(room), (received, *values, len(rows))).rowcount
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return connection.exec_driver_sql(_ARRAYS_INSERT, (received, *columns)).rowcount


_NEW_ROW = "INSERT INTO inbox (state, received_at, account_id, event_key, topic, way, body) SELECT 'new'"
_ONCE = "ON CONFLICT (account_id, event_key) DO NOTHING"
_ARRAYS_INSERT = (
    f"{_NEW_ROW}, %s, account_id, event_key, topic, way, body"
    " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %b::bytea[])"
    f" WITH ORDINALITY AS arrived (account_id, event_key, topic, way, body, place) ORDER BY place {_ONCE}"
)


@cache
def _values_insert(room: int) -> str:
    """Takes the rows that come first among `room`, as many as its last value says."""
    values = ", ".join(["(?, ?, ?, ?, ?)"] * room)
    return f"{_NEW_ROW}, ?, * FROM (VALUES {values}) WHERE true LIMIT ? {_ONCE}"


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
