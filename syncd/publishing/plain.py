"""The rules for a channel that only sets numbers: whatever is written replaces what it meets. Pure.

One race is left for every number above 0 that is written while the listing shows more than 0: a sale between the read
and the write is put on sale again. So a read comes right before every write, nothing is sent twice, what may or may
not have taken effect is read back, and what the race did is found and counted afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncd.publishing.cells import OPEN, Cell, Choice, Reading, Step, choose, read_back

UNCONFIRMED = "whether a write took effect is not known"
READ_FIRST = "a plain set is read right before it is written"
UNHEEDED = "the channel accepts its number and does not show it"
UNHEEDED_PAUSE = timedelta(hours=1)
_UNHEEDED_FROM = 2


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a read a moment ago is good for. `sure`: it shows every sale that is known."""

    sure: bool


def choose_plain(
    cell: Cell,
    target: int,
    *,
    live: bool,
    raises_stop: str | None,
    read_tells: bool,
    fresh: Fresh | None,
    now: datetime,
) -> Choice:
    """What to do so that a plain-set cell shows `target`. `fresh`: it was read a moment ago."""
    if live and cell.in_flight_key is None and cell.unknown_value is not None:
        return Choice(Step.READ, UNCONFIRMED)
    if is_unheeded(cell, now):
        raises_stop = raises_stop or UNHEEDED
    choice = choose(cell, target, live=live, raises_stop=raises_stop, read_tells=read_tells)
    if choice.reason == OPEN and target == 0 and cell.hi is not None and cell.hi > 0:
        choice = Choice(Step.WRITE, "lower", 0, cell.hi)  # 0 gives no unit back, whatever it meets
    if choice.step is not Step.WRITE:
        return choice
    if fresh is None:
        return Choice(Step.READ, READ_FIRST)
    if not fresh.sure and choice.reason == "raise":
        return Choice(Step.WAIT, OPEN)
    return choice


def is_unheeded(cell: Cell, now: datetime) -> bool:
    """Whether writes of this number have come to nothing lately."""
    return cell.unheeded >= _UNHEEDED_FROM and cell.unheeded_at is not None and now < cell.unheeded_at + UNHEEDED_PAUSE


def set_applied(cell: Cell, sent_at: datetime, now: datetime, staleness: timedelta) -> Cell:
    """A plain set took effect between `sent_at` and `now`.

    It may have erased sales since the read before it: those that are learnt later widen the range, and it is read
    back once a read cannot be older than the write.
    """
    written = _written(
        cell,
        cell.in_flight_value,
        cell.in_flight_sold_hi,
        cell.in_flight_sold_lo,
        (cell.last_read_at or sent_at) - staleness,
        now,
    )
    return replace(written, must_read=True, not_before_read_at=now + staleness)


def set_open(cell: Cell, until: datetime, not_before: datetime) -> Cell:
    """A plain set was accepted, or had no answer: a read tells, and by `until` it has taken effect or never will."""
    return replace(
        cell,
        unknown_value=cell.in_flight_value,
        unknown_until=until,
        unknown_from_at=cell.last_read_at,
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


def set_in_part(cell: Cell) -> Cell:
    """A plain set was refused, and a part of it may have been written all the same: a read tells."""
    return replace(
        cell,
        unknown_value=cell.in_flight_value,
        must_read=True,
        certified=False,
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
        over = sent_at >= cell.unknown_until + staleness
        applied = _if_applied(cell, sent_at, now, staleness)
        if _within(applied, shown) and (over or not _within(cell, shown)):
            return Reading(applied, confirmed=True, moved=True)
        if not over:
            return Reading(cell, pending=True)
        cell = replace(cell, unheeded=cell.unheeded + 1, unheeded_at=now)
    if cell.verify_at is not None and sent_at >= cell.verify_at:
        cell = replace(cell, verify_at=None)
    reading = read_back(cell, shown, recent_taken, open_holds, sent_at, now, staleness)
    return replace(
        reading,
        relisted=_relisted(cell, shown),
        doubtful=min(reading.held, _doubtful(cell, shown)),
        sure=recent_taken == 0,
    )


def _within(cell: Cell, shown: int) -> bool:
    return cell.lo is not None and cell.hi is not None and cell.lo <= shown <= cell.hi


def _if_applied(cell: Cell, sent_at: datetime, now: datetime, staleness: timedelta) -> Cell:
    """The cell if the open write is what a read shows. A sale may have brought about the same number before the write
    lands, so it is read once more when it can land no more.
    """
    written = _written(
        cell,
        cell.unknown_value,
        cell.unknown_sold_hi,
        cell.unknown_sold_lo,
        (cell.unknown_from_at or sent_at) - staleness,
        now,
    )
    verify_at = None if cell.unknown_until is None or sent_at >= cell.unknown_until else cell.unknown_until + staleness
    return replace(written, must_read=False, not_before_read_at=None, verify_at=verify_at, last_read_at=sent_at)


def _written(cell: Cell, value: int | None, known_hi: int, known_lo: int, from_at: datetime, now: datetime) -> Cell:
    """The cell after a write of `value`: what was learnt since it was sent may have been erased by it, or not."""
    return replace(
        cell,
        anchor_value=value,
        anchor_lo_at=from_at,
        anchor_hi_at=now,
        anchor_written=True,
        certified=False,
        sold_hi=min(0, cell.sold_hi - known_hi),
        sold_lo=max(0, cell.sold_lo - known_lo),
        in_flight_key=None,
        in_flight_value=None,
        in_flight_sold_hi=0,
        in_flight_sold_lo=0,
        unknown_value=None,
        unknown_until=None,
        unknown_from_at=None,
        unknown_sold_hi=0,
        unknown_sold_lo=0,
        expired_hold=0,
        published=value,
        unheeded=0,
        unheeded_at=None,
    )


def _doubtful(cell: Cell, shown: int) -> int:
    """Units of a shortfall that need no unseen purchase: sales we know of that a write may have erased and has not, or
    a write without an answer that did take effect, or did not.
    """
    if cell.hi is None or cell.lo is None:
        return 0
    if cell.unknown_value is None:
        return cell.hi - cell.lo
    if cell.unknown_value > cell.hi:  # a raise: only if it took effect is that much missing
        return cell.unknown_value - cell.hi if shown <= cell.hi else 0
    return cell.hi - cell.unknown_value if shown <= cell.unknown_value else 0


def _relisted(cell: Cell, shown: int) -> int:
    """Units of sales in a write's own window that this read shows as still on sale: the write has erased them.

    No more than the window leaves open: what shows beyond that has come back on sale, or was typed. Nor below 0:
    what does not show is not on sale.
    """
    if not cell.anchor_written or cell.unknown_value is not None or cell.expired_hold:
        return 0
    if cell.hi is None or cell.lo is None or cell.anchor_value is None:
        return 0
    return max(0, min(shown, cell.hi, cell.anchor_value) - max(0, cell.lo))
