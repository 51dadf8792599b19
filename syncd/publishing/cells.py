"""One number at a channel as far as we can explain it, and the pure rules for reading and writing it.

The rules carry the names of the publishing protocol: C1 one write in flight, C2 an unknown outcome repeats the same
bytes under the same key, C3 expected is a range, C4 a shortfall is held, C5 a raise needs a certified anchor, C7 read
after a stale write, C8 a give-back that the anchor may contain is held, C9 a hold that ends leaves a range until the
next read, C10 a negative number is never raised to 0, C11 news only marks for a read, C12 the no-op check compares
with the expected live number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sale:
    """How far a line's change has lowered a listing's own number, and when: between `from_at` and `to_at`."""

    listing_id: int
    d_min: int
    d_max: int
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a listing. Known sales since the anchor lower it by `sold_hi` at least and `sold_lo` at most."""

    listing_id: int
    name: str
    anchor_value: int | None = None
    anchor_lo_at: datetime | None = None
    anchor_hi_at: datetime | None = None
    certified: bool = False
    sold_hi: int = 0
    sold_lo: int = 0
    must_read: bool = True
    not_before_read_at: datetime | None = None  # a read sent earlier may not know of the last write or a hold's end
    in_flight_key: str | None = None
    in_flight_value: int | None = None
    in_flight_sold_hi: int = 0
    in_flight_sold_lo: int = 0
    unknown_value: int | None = None  # a write that may or may not have taken effect
    unknown_until: datetime | None = None  # plain set: by then it has, or never will
    unknown_sold_hi: int = 0
    unknown_sold_lo: int = 0
    unknown_from_at: datetime | None = None  # the read before it: what happened since it may have erased
    unheeded: int = 0  # plain sets in a row that never showed
    unheeded_at: datetime | None = None
    anchor_written: bool = False  # the anchor is a number that we set, not one that we read
    verify_at: datetime | None = None  # then it is read once more
    expired_hold: int = 0  # units of holds that ended unexplained since the anchor: it may be that much too low
    published: int | None = None
    last_read_at: datetime | None = None

    @property
    def hi(self) -> int | None:
        """The most the channel can show if everything it sold is known to us."""
        return None if self.anchor_value is None else self.anchor_value - self.sold_hi

    @property
    def lo(self) -> int | None:
        return None if self.anchor_value is None else self.anchor_value - self.sold_lo

    @property
    def exact(self) -> bool:
        return (
            self.anchor_value is not None
            and self.sold_hi == self.sold_lo
            and self.unknown_value is None
            and not self.expired_hold
        )


class Step(StrEnum):
    """What to do about a dirty listing."""

    NOTHING = "nothing"  # it shows what it should
    READ = "read"
    WRITE = "write"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Choice:
    step: Step
    reason: str
    value: int | None = None
    expected: int | None = None


OPEN = "a read could not tell yet whether it shows the latest sales"


def choose(cell: Cell, target: int, *, live: bool, raises_stop: str | None, read_tells: bool = True) -> Choice:
    """What to do so that a compare-and-set cell shows `target`. Raising needs an exact, certified expectation.

    Without `read_tells` the anchor is too young for a read to close an open range. Lowering below all of it does not
    wait for that, or a listing that sells every second would never be lowered for what other channels sell: such a
    write gives no unit back, whatever it meets.
    """
    if not live and cell.must_read and cell.anchor_value is not None and cell.in_flight_key is None:
        return Choice(Step.READ, "what it shows is not fully explained")  # looking is always allowed, and ends holds
    if not live:
        return Choice(Step.WAIT, "the account is not live")
    if cell.in_flight_key is not None:
        return Choice(Step.WAIT, "a write is in flight")
    if not cell.exact and not cell.must_read and not read_tells:
        return _while_open(cell, target)
    if cell.must_read or not cell.exact:
        return Choice(Step.READ, "what it shows is not fully explained")
    expected = cell.hi
    assert expected is not None, "an exact cell has an anchor"
    if target == expected or (target == 0 and expected < 0):
        return Choice(Step.NOTHING, "it shows what it should")
    if target > expected:
        if raises_stop:
            return Choice(Step.WAIT, raises_stop)
        if not cell.certified:
            return Choice(Step.WAIT, "certification")
    return Choice(Step.WRITE, "raise" if target > expected else "lower", target, expected)


def _while_open(cell: Cell, target: int) -> Choice:
    if cell.lo is not None and target < cell.lo and cell.unknown_value is None and not cell.expired_hold:
        return Choice(Step.WRITE, "lower", target, cell.hi)
    return Choice(Step.WAIT, OPEN)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cell is after a read, and what the read gave away."""

    cell: Cell
    held: int = 0  # units missing that no known order explains for sure: hold them back everywhere
    doubtful: int = 0  # of these, the units that known orders or our own write most likely explain
    surplus: int = 0  # units more than anything explains: a person's, or given back by an order not heard of yet
    given_back: int = 0  # units of open holds that are back on sale
    relisted: int = 0  # sold units that our own plain set has put on sale again
    sure: bool = True  # no sale is so recent that this may or may not show it
    from_at: datetime | None = None
    moved: bool = False  # the anchor is new
    ignored: bool = False  # it may be older than what is known
    confirmed: bool = False  # it shows that a plain set took effect
    pending: bool = False  # it does not show yet whether one did


def read_back(
    cell: Cell,
    shown: int,
    recent_taken: int,
    open_holds: int,
    sent_at: datetime,
    now: datetime,
    staleness: timedelta,
) -> Reading:
    """Take a read into account. `recent_taken` is what known orders placed since `sent_at - staleness` have taken:
    the read may or may not show them yet.
    """
    if cell.in_flight_key is not None or (cell.not_before_read_at and sent_at < cell.not_before_read_at):
        return Reading(cell, ignored=True)
    anchored = Cell(
        listing_id=cell.listing_id,
        name=cell.name,
        anchor_value=shown,
        anchor_lo_at=sent_at - staleness,
        anchor_hi_at=now,
        certified=False,
        sold_lo=recent_taken,
        must_read=False,
        published=cell.published,
        last_read_at=cell.last_read_at,
        unheeded=cell.unheeded,
        unheeded_at=cell.unheeded_at,
        verify_at=cell.verify_at,
    )
    if cell.hi is None or cell.lo is None or cell.anchor_lo_at is None:
        return Reading(anchored, moved=True)
    hi, lo = cell.hi, cell.lo
    if cell.exact and lo <= shown <= hi + recent_taken:
        return Reading(replace(cell, must_read=False))  # C6: explained, the anchor stays
    if cell.unknown_value is not None:
        hi = max(hi, cell.unknown_value)
    if shown < hi:
        return Reading(anchored, held=hi - shown, from_at=cell.anchor_lo_at, moved=True)
    back = shown - hi - recent_taken - cell.expired_hold  # what neither a sale not yet shown nor an ended hold explains
    return Reading(anchored, surplus=max(0, back - open_holds), given_back=min(max(0, back), open_holds), moved=True)


def acknowledged(cell: Cell, sent_at: datetime, now: datetime) -> Cell:
    """A compare-and-set took effect, so the number was the explained one: what nobody knew of then cancelled out.

    Whatever is learnt from then on therefore counts against the new value, whenever since the last read it happened:
    the anchor keeps the instants of that read, and a sale in the very second of a write leaves nothing open. Only a
    write out of an open range is an anchor of its own, uncertified.
    """
    was_exact = cell.in_flight_sold_hi == cell.in_flight_sold_lo
    sold_hi = cell.sold_hi - cell.in_flight_sold_hi
    sold_lo = cell.sold_lo - cell.in_flight_sold_lo
    return replace(
        cell,
        anchor_value=cell.in_flight_value,
        anchor_lo_at=cell.anchor_lo_at if was_exact else sent_at,
        anchor_hi_at=cell.anchor_hi_at if was_exact else now,
        certified=cell.certified and was_exact and sold_hi == sold_lo,
        sold_hi=sold_hi,
        sold_lo=sold_lo,
        in_flight_key=None,
        in_flight_value=None,
        in_flight_sold_hi=0,
        in_flight_sold_lo=0,
        published=cell.in_flight_value,
        not_before_read_at=sent_at,
    )


def is_certified(cell: Cell, horizon_at: datetime | None, index_lag: timedelta) -> bool:
    """C5: an anchor is certified once a complete order poll reaches past it and the channel's index lag."""
    if cell.certified:
        return True
    if cell.must_read or cell.anchor_hi_at is None or horizon_at is None:
        return False
    return horizon_at >= cell.anchor_hi_at + index_lag
