"""What publishing reads and writes, row by row, and the channel's rules that it must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from syncd.db.lease import Lease


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


Compose = Callable[[tuple[Row, ...]], str]
