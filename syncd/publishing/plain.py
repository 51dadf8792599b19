"""The rules for a channel that only sets numbers: whatever is written replaces what it meets. Pure.

One race is left for every number above 0 that is written while the listing shows more than 0: a sale between the read
and the write is put on sale again. So a read comes right before every write, nothing is sent twice, what may or may
not have taken effect is read back, and what the race did is found and counted afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from syncd.publishing.cells import OPEN, Cell, Choice, Reading, Step, choose, read_back

UNCONFIRMED = "whether a write took effect is not known"
READ_FIRST = "a plain set is read right before it is written"


def choose_plain(
    cell: Cell, target: int, *, live: bool, raises_stop: str | None, read_tells: bool, fresh: bool
) -> Choice:
    """What to do so that a plain-set cell shows `target`. `fresh`: it was read a moment ago."""
    if live and cell.in_flight_key is None and cell.unknown_value is not None:
        return Choice(Step.READ, UNCONFIRMED)
    choice = choose(cell, target, live=live, raises_stop=raises_stop, read_tells=read_tells)
    if choice.reason == OPEN and target == 0 and cell.hi is not None and cell.hi > 0:
        choice = Choice(Step.WRITE, "lower", 0, cell.hi)  # 0 gives no unit back, whatever it meets
    if choice.step is Step.WRITE and not fresh:
        return Choice(Step.READ, READ_FIRST)
    return choice


def set_applied(cell: Cell, sent_at: datetime, now: datetime, staleness: timedelta) -> Cell:
    """A plain set took effect between `sent_at` and `now`.

    It may have erased sales since the read before it: those that are learnt later widen the range, and it is read
    back once a read cannot be older than the write.
    """
    return replace(
        _anchored(cell, cell.in_flight_value, cell.in_flight_sold_hi, cell.in_flight_sold_lo, sent_at, now, staleness),
        must_read=True,
        not_before_read_at=now + staleness,
    )


def set_open(cell: Cell, until: datetime, not_before: datetime) -> Cell:
    """A plain set was accepted, or had no answer: a read tells, and by `until` it has taken effect or never will."""
    return replace(
        cell,
        unknown_value=cell.in_flight_value,
        unknown_until=until,
        unknown_sold_hi=cell.in_flight_sold_hi,
        unknown_sold_lo=cell.in_flight_sold_lo,
        must_read=True,
        certified=False,
        not_before_read_at=not_before,
        in_flight_key=None,
        in_flight_value=None,
        in_flight_sold_hi=0,
        in_flight_sold_lo=0,
    )


def read_plain(
    cell: Cell,
    shown: int,
    recent_taken: int,
    open_holds: int,
    sent_at: datetime,
    now: datetime,
    staleness: timedelta,
) -> Reading:
    """Take a read of a plain-set cell into account (see `read_back`)."""
    too_old = cell.not_before_read_at is not None and sent_at < cell.not_before_read_at
    if cell.in_flight_key is not None or too_old:
        return Reading(cell, ignored=True)
    if cell.unknown_value is not None and cell.unknown_until is not None:
        applied = _if_applied(cell, sent_at, now, staleness)
        assert applied.lo is not None
        assert applied.hi is not None
        if applied.lo <= shown <= applied.hi:
            return Reading(replace(applied, last_read_at=sent_at), confirmed=True, moved=True)
        if sent_at < cell.unknown_until + staleness:
            return Reading(cell, pending=True)
    reading = read_back(cell, shown, recent_taken, open_holds, sent_at, now, staleness)
    return replace(reading, relisted=_relisted(cell, shown), doubtful=min(reading.held, _doubtful(cell, shown)))


def _if_applied(cell: Cell, sent_at: datetime, now: datetime, staleness: timedelta) -> Cell:
    return replace(
        _anchored(cell, cell.unknown_value, cell.unknown_sold_hi, cell.unknown_sold_lo, sent_at, now, staleness),
        must_read=False,
        not_before_read_at=None,
    )


def _anchored(
    cell: Cell, value: int | None, known_hi: int, known_lo: int, sent_at: datetime, now: datetime, staleness: timedelta
) -> Cell:
    """The cell after a write of `value`: what was learnt since it was sent may have been erased by it, or not."""
    return replace(
        cell,
        anchor_value=value,
        anchor_lo_at=(cell.last_read_at or sent_at) - staleness,
        anchor_hi_at=now,
        certified=False,
        sold_hi=min(0, cell.sold_hi - known_hi),
        sold_lo=max(0, cell.sold_lo - known_lo),
        in_flight_key=None,
        in_flight_value=None,
        in_flight_sold_hi=0,
        in_flight_sold_lo=0,
        unknown_value=None,
        unknown_until=None,
        unknown_sold_hi=0,
        unknown_sold_lo=0,
        expired_hold=0,
        published=value,
    )


def _doubtful(cell: Cell, shown: int) -> int:
    """Units of a shortfall that need no unseen purchase: sales we know of that a write may have erased and has not, or
    a write without an answer that did take effect.
    """
    if cell.hi is None or cell.lo is None:
        return 0
    if cell.unknown_value is not None:
        return max(0, cell.hi - cell.unknown_value) if shown <= cell.unknown_value else 0
    return cell.hi - cell.lo


def _relisted(cell: Cell, shown: int) -> int:
    """Units of sales in a write's own window that this read shows as still on sale: the write has erased them."""
    written = cell.published is not None and cell.published == cell.anchor_value
    if not written or cell.unknown_value is not None or cell.expired_hold or cell.lo is None or cell.hi is None:
        return 0
    return max(0, min(shown, cell.hi) - cell.lo)
