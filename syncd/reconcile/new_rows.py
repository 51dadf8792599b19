"""New rows of tables whose ids only grow.

Ids are given before a transaction ends. So what had the newest id in the round before is looked at once more, and on
PostgreSQL again and again until every transaction that ran then has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text

from syncd.reconcile.ledger_feed import oldest_running
from syncd.reconcile.pages import Key

_ROWS: Final = 20_000

_IDS: Final[Mapping[str, str]] = {
    "order": "sales_order",
    "shortage": "shortage",
    "decision": "decision",
    "request": "shipment_request",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest id of each table two rounds ago and last time.

    `settles`: PostgreSQL's transaction before which all must have ended, for the ids of last time to be complete.
    """

    ids: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    settles: int = 0


NOTHING_SEEN: Final = Seen()


def rows_now(connection: Connection) -> Seen:
    """As if every row that is there had been seen."""
    newest = {name: _newest(connection, table) for name, table in _IDS.items()}
    return Seen({name: (last, last) for name, last in newest.items()}, _next_transaction(connection))


def read_rows(connection: Connection, seen: Seen) -> tuple[dict[str, tuple[Key, ...]], Seen]:
    """The ids of new rows by what checks call them, and what is seen now.

    Newest ids that are lower than before will be given again: their table is read from its beginning.
    """
    settled = has_settled(connection, seen)
    found: dict[str, tuple[Key, ...]] = {}
    ids = {}
    for name, table in _IDS.items():
        before, last = seen.ids.get(name, (0, 0))
        newest = _newest(connection, table)
        if newest < last:
            before, last = 0, newest
        found[name] = tuple((each,) for each in _since(connection, table, before))
        ids[name] = (last, newest) if settled else (before, last)
    return found, Seen(ids, _next_transaction(connection) if settled else seen.settles)


def has_settled(connection: Connection, seen: Seen) -> bool:
    """Whether every transaction has ended that ran when the newest ids were read; so it is where numbers jump back."""
    if connection.dialect.name == "sqlite":
        return True
    return oldest_running(connection) >= seen.settles or _next_transaction(connection) < seen.settles


def _next_transaction(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        return 0
    snapshot = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
    return int(connection.execute(text(snapshot)).scalar_one())


def _newest(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one())


def _since(connection: Connection, table: str, after: int) -> list[int]:
    """The newest rows after an id; more than these are left to the slow pass."""
    wanted = text(f"SELECT id FROM {table} WHERE id > :after ORDER BY id DESC LIMIT :most")
    return list(connection.execute(wanted, {"after": after, "most": _ROWS}).scalars())
