"""What happened in a run that the book cannot know by itself: it tells later why something was oversold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

BROKEN = "broken"
"""The spell in which some of the daemon's own work fails again and again: people must be told of it."""

CLOCK_STEPPED = "clock stepped"
"""The spell in which the daemon's clock is wrong by minutes."""


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

    def runs_at(self, at: datetime) -> bool:
        """Whether it has begun before that instant and goes on after it."""
        return self.from_at < at and (self.to_at is None or self.to_at > at)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Goods arrived at a warehouse, and may be sold; below 0 they may not any more, wherever they stand.

    `within`: from, or to, another one of the seller's warehouses, so that in all nothing came.
    """

    warehouse: str
    sku: str
    pieces: int
    at: datetime
    within: bool = False


@dataclass(slots=True)
class Miscount:
    """Somebody counted a shelf, and so many pieces too many, or below 0 too few. `corrected_at` None: not yet."""

    warehouse: str
    sku: str
    pieces: int
    at: datetime
    corrected_at: datetime | None = None


@dataclass(slots=True)
class Damage:
    """Pieces broke on their shelf. `told_at`: when the book was told; `gone`: thrown away since; `lost`: not found."""

    warehouse: str
    sku: str
    pieces: int
    at: datetime
    told_at: datetime | None = None
    gone: bool = False
    lost: bool = False


@dataclass(slots=True)
class Happenings:
    outages: list[Outage] = field(default_factory=list)
    hand_edits: list[HandEdit] = field(default_factory=list)
    unpaid: list[Unpaid] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    lives: list[Lived] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    miscounts: list[Miscount] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)  # of watched counters
    poisoned: Counter[str] = field(default_factory=Counter)  # news that nobody can take in, by account
    poison_taken: Counter[str] = field(default_factory=Counter)  # of these the daemon has acknowledged
    failed: dict[str, list[datetime]] | None = None
    """When requests of the daemon failed, by vendor; None: nobody watches them."""
    misread: dict[datetime, datetime] = field(default_factory=dict)
    """What the daemon's clock said while it was wrong by minutes, and what the time was then."""
    entered: int = 0  # goods that people entered by hand
    bursts: int = 0

    def begin_life(self, at: datetime) -> Lived:
        """The daemon starts, maybe beside another one."""
        self.lives.append(Lived(at))
        return self.lives[-1]

    def true_time(self, told: datetime) -> datetime:
        """What the time was when the daemon's clock said this."""
        return self.misread.get(told, told)

    def down(self, account: str, at: datetime) -> bool:
        return any(each.account == account and each.from_at <= at < each.to_at for each in self.outages)
