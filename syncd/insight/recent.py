"""What happened lately: the newest decisions, and the news that could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from syncd.db.statements import constant
from syncd.db.tables import account, decision, inbox, listing, sales_order

DECISIONS = 15
PARKED = 10
PARKED_COUNTED_TO = 1_000
_IS_PARKED = inbox.c.state == constant("parked")


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision in a few words. The subject is an order's name or a listing's."""

    kind: str
    subject: str
    account: str
    outcome: str
    decided_at: datetime
    order_id: int | None
    listing_id: int | None


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """News that could not be read: never what it says, which may name a buyer."""

    inbox_id: int
    account: str
    topic: str
    way: str
    reason: str
    attempts: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Recent:
    decisions: tuple[Decided, ...]
    parked: tuple[ParkedEvent, ...]
    parked_count: int


def read_recent(connection: Connection) -> Recent:
    parked = _parked(connection)
    some = select(inbox.c.id).where(_IS_PARKED).limit(PARKED_COUNTED_TO + 1).subquery("some_rows")
    count = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return Recent(_decisions(connection), parked, count)


def _decisions(connection: Connection) -> tuple[Decided, ...]:
    newest = select(decision).order_by(decision.c.id.desc()).limit(DECISIONS).subquery("newest")
    found = connection.execute(
        select(
            newest,
            sales_order.c.name,
            func.coalesce(listing.c.code, listing.c.channel_sku).label("listed_as"),
            func.coalesce(sales_order.c.account_id, listing.c.account_id).label("account_id"),
        )
        .outerjoin(sales_order, sales_order.c.id == newest.c.order_id)
        .outerjoin(listing, listing.c.id == newest.c.listing_id)
        .order_by(newest.c.id.desc())
    ).all()
    keys = {row.id: str(row.key) for row in connection.execute(select(account.c.id, account.c.key))}
    return tuple(
        Decided(
            kind=row.kind,
            subject=str(row.name if row.name is not None else row.listed_as or "?"),
            account=keys.get(row.account_id, "?"),
            outcome=told_outcome(row.kind, row.inputs, row.outcome),
            decided_at=row.decided_at,
            order_id=row.order_id,
            listing_id=row.listing_id,
        )
        for row in found
    )


def told_outcome(kind: str, inputs: str, outcome: str) -> str:
    """A decision's outcome as a clause; what is not understood is left out rather than shown raw."""
    made: dict[str, Any] = msgspec.json.decode(outcome)
    given: dict[str, Any] = msgspec.json.decode(inputs)
    if kind == "publication":
        return f"{made.get('from', '?')} → {made.get('to', '?')}"
    if kind == "erasure":
        return _told_erasure(made)
    names = {int(number): str(key) for number, key in given.get("warehouses", {}).items()}
    units: Counter[str] = Counter()
    for _, warehouse_id, quantity in made.get("shares", ()):
        units[names.get(warehouse_id, "?")] += quantity
    told = [f"{quantity} from {key}" for key, quantity in sorted(units.items())]
    missing = sum(quantity for _, quantity in made.get("short", ()))
    return ", ".join([*told, *([f"{missing} found no stock"] if missing else [])]) or "nothing to reserve"


def _told_erasure(made: Mapping[str, Any]) -> str:
    told = "the buyer's data erased" if made.get("recipient") else "nothing of the buyer was known"
    asked = int(made.get("asked", 0))
    if not asked:
        return told
    return f"{told}, {asked} events when they are taken in" if asked > 1 else f"{told}, 1 event when it is taken in"


def _parked(connection: Connection) -> tuple[ParkedEvent, ...]:
    found = connection.execute(
        select(
            inbox.c.id,
            account.c.key,
            inbox.c.topic,
            inbox.c.way,
            inbox.c.reason,
            inbox.c.attempts,
            inbox.c.received_at,
        )
        .join(account, account.c.id == inbox.c.account_id)
        .where(_IS_PARKED)
        .order_by(inbox.c.id.desc())
        .limit(PARKED)
    )
    return tuple(ParkedEvent(*row[:4], row[4] or "no reason was kept", *row[5:]) for row in found)
