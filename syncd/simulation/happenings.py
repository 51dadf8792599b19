"""What happened in a run that the book cannot know by itself: it tells later why something was oversold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """A channel's API answered nobody; its shoppers went on buying."""

    account: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class HandEdit:
    """A person typed a number over a listing's own."""

    account: str
    sku: str
    typed: int
    at: datetime


@dataclass(slots=True)
class Unpaid:
    """A purchase that was not paid at once. `settled_at` None: it still is not; `skus` are the pieces it is made of."""

    account: str
    name: str
    skus: frozenset[str]
    at: datetime
    settled_at: datetime | None = None


@dataclass(slots=True)
class Purchase:
    """Somebody wanted to buy. `name` None: the channel showed too little, and `free` tells whether all of it was there.

    `lines` are listing units by SKU, as they are after edits; `wanted` as they were asked for.
    """

    account: str
    at: datetime
    lines: dict[str, int]
    ship_to: dict[str, str]
    unpaid: bool
    by_channel: bool
    name: str | None
    free: bool
    wanted: dict[str, int] = field(init=False)
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    out_of_stock: bool = False  # the seller had to cancel it
    edits: int = 0
    refunded: int = 0

    def __post_init__(self) -> None:
        self.wanted = dict(self.lines)


@dataclass(slots=True)
class Happenings:
    outages: list[Outage] = field(default_factory=list)
    hand_edits: list[HandEdit] = field(default_factory=list)
    unpaid: list[Unpaid] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)  # of watched counters
    deliveries: int = 0
    bursts: int = 0

    def down(self, account: str, at: datetime) -> bool:
        return any(each.account == account and each.from_at <= at < each.to_at for each in self.outages)
