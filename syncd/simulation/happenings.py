"""What happened in a run that the book cannot know by itself: it tells later why something was oversold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """A channel's or a warehouse's API answered nobody; shoppers went on buying."""

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


@dataclass(frozen=True, slots=True)
class Spell:
    """For a while something was slower than usual, or stood still. `key`: which vendor; None: the daemon itself."""

    kind: str
    key: str | None
    from_at: datetime
    to_at: datetime


@dataclass(slots=True)
class Lived:
    """One life of the daemon; `to_at` None while it lasts."""

    from_at: datetime
    to_at: datetime | None = None

    def end(self, at: datetime) -> None:
        self.to_at = self.to_at or at


@dataclass(frozen=True, slots=True)
class Arrival:
    """Goods arrived at a warehouse."""

    warehouse: str
    sku: str
    pieces: int
    at: datetime


@dataclass(slots=True)
class Happenings:
    outages: list[Outage] = field(default_factory=list)
    hand_edits: list[HandEdit] = field(default_factory=list)
    unpaid: list[Unpaid] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    lives: list[Lived] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)  # of watched counters
    poisoned: Counter[str] = field(default_factory=Counter)  # news that nobody can take in, by account
    bursts: int = 0

    def begin_life(self, at: datetime) -> Lived:
        """The daemon starts, maybe beside another one."""
        self.lives.append(Lived(at))
        return self.lives[-1]

    def down(self, account: str, at: datetime) -> bool:
        return any(each.account == account and each.from_at <= at < each.to_at for each in self.outages)
