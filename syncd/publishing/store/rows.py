"""What publishing reads and writes, row by row, and the channel's rules that it must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, select

from syncd.db.lease import Lease
from syncd.db.statements import Given, statement
from syncd.db.tables import listing, push_row


@dataclass(frozen=True, slots=True)
class Rules:
    """What the protocol must know of the account's channel. Durations are the seller's seconds."""

    account_id: int
    account: str
    cell: str
    write_batch: int
    index_lag_s: float
    staleness_s: float
    granularity_s: float
    hold_window_s: float
    settle_s: float
    lease: Lease
    plain: bool = False  # the channel only sets numbers
    apply_s: float = 0.0  # how long an accepted write usually takes to show


@dataclass(frozen=True, slots=True)
class Row:
    """One number to read or write."""

    listing_id: int
    channel_sku: str
    channel_location: str
    value: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """A write as it is stored before it is first sent."""

    key: str
    body: str
    rows: tuple[Row, ...]
    created_at: datetime
    attempts: int = 0


Compose = Callable[[tuple[Row, ...]], str]


def refusal_key(rules: Rules, listing_id: int) -> str:
    """The key of the alert that a channel refuses a listing's number."""
    return f"refused:{rules.account_id}:{listing_id}"


def rows_of(connection: Connection, key: str) -> tuple[Row, ...]:
    """The rows of a stored write."""
    found = _rows_of(connection, push=key)
    return tuple(Row(r.listing_id, r.channel_sku, r.channel_location, r.value, r.expected) for r in found)


@statement
def _rows_of(given: Given) -> Executable:
    return (
        select(push_row, listing.c.channel_sku, listing.c.channel_location)
        .join(listing, listing.c.id == push_row.c.listing_id)
        .where(push_row.c.key == given.value("push", str))
        .order_by(push_row.c.listing_id)
    )
