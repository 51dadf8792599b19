"""Open alerts that nobody's work closes any more: of what the configuration no longer has, and of erased events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, String, cast, func, or_, select

from syncd.db.statements import constant
from syncd.db.tables import alert, inbox
from syncd.db.tables.base import Id

OF_CONNECTION: Final = (
    "channel_down",
    "auth_expired",
    "queue_down",
    "polls_late",
    "listing_refused",
    "listing_unreadable",
    "listing_unheeded",
    "drift",
    "orders_not_sent",
)
"""What ails an account's connection ends with the account. What the book says of its orders stays until it changes."""

OF_WAREHOUSE: Final = ("warehouse_down", "warehouse_auth", "unnamed_levels", "unknown_codes", "unreadable_levels")
_PARKED: Final = "parked_event"
_ROUTE: Final = "route_down"


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration has. `topics`: those that some webhook wants."""

    routes: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    accounts: frozenset[int] = frozenset()
    warehouses: frozenset[int] = frozenset()


def read_overdue(connection: Connection, known: Known, limit: int) -> tuple[str, ...]:
    """The keys of up to `limit` of each that are to be closed."""
    found = [
        *_of_gone(connection, OF_CONNECTION, alert.c.account_id, known.accounts, limit),
        *_of_gone(connection, OF_WAREHOUSE, alert.c.warehouse_id, known.warehouses, limit),
        *_parked_and_gone(connection, limit),
    ]
    found += [key for key in _open_of(connection, (_ROUTE,)) if key.removeprefix(f"{_ROUTE}:") not in known.routes]
    return tuple(found)


def _of_gone(
    connection: Connection, kinds: Collection[str], owner: Column[int], known: Collection[int], limit: int
) -> list[str]:
    return list(
        connection.execute(_keys(kinds).where(owner.is_not(None), owner.not_in(sorted(known))).limit(limit)).scalars()
    )


def _open_of(connection: Connection, kinds: Collection[str]) -> list[str]:
    return list(connection.execute(_keys(kinds)).scalars())


def _keys(kinds: Collection[str]) -> Select[Any]:
    return select(alert.c.key).where(alert.c.closed_at.is_(None), alert.c.kind.in_([constant(each) for each in kinds]))


def _parked_and_gone(connection: Connection, limit: int) -> list[str]:
    """Of events that wait in the inbox no more, or of which nothing is left to look at."""
    number = cast(func.substr(alert.c.key, len(_PARKED) + 2, type_=String), Id)
    found = (
        _keys((_PARKED,))
        .outerjoin_from(alert, inbox, inbox.c.id == number)
        .where(or_(inbox.c.id.is_(None), inbox.c.state != constant("parked"), inbox.c.body.is_(None)))
        .limit(limit)
    )
    return list(connection.execute(found).scalars())
