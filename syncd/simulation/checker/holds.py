"""Nothing is held for nothing: what no order has ever ended was bought unseen, typed away, or in doubt at a read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.clocks import STEPPED, Clocks
from syncd.simulation.checker.history import CLOCKS_APART, Held, History
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict

RULE: Final = "holds.unexplained"
OWN_WRITE: Final = "a write or a cancellation that may or may not have landed"
AT_ITS_END: Final = "a sale in the moment of a read"
_READ_TAKES: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"shopify": timedelta(seconds=10), "amazon": timedelta(seconds=60), "ebay": timedelta(seconds=30)}
)
"""From where a hold begins until the read before it was surely answered: what the vendor may lag is part of it."""
_WRITE_IN_DOUBT: Final = timedelta(seconds=1800)
"""So long after it was decided a write may still leave its number in doubt."""


def nothing_is_held_for_nothing(
    truth: Truth, book: Book, history: History, verdict: Verdict, clocks: Clocks | None = None
) -> None:
    """What a hold had left when its time was up, or has left now, truly went, and the book did not hear of it in time.

    The rest of a hold needs no judge: orders of its time have ended it, or a read that showed the units again.
    """
    by_listing: dict[Listing, list[Change]] = defaultdict(list)
    for change in truth.changes:
        by_listing[change.listing].append(change)
    for listing, holds in history.holds.items():
        life = _Life(listing, by_listing[listing], book.channels[listing[0]], truth, history)
        for hold in holds:
            if hold.closed_at is None or hold.ran_out:
                subject = f"{listing[0]} {truth.skus.get(listing, listing[1])}"
                wrong = clocks is not None and clocks.may_be_wrong(hold.opened_at)
                _weigh(hold, life, subject, verdict, STEPPED if wrong else None)


def _weigh(hold: Held, life: _Life, subject: str, verdict: Verdict, excuse: str | None) -> None:
    in_doubt = hold.kind == "doubtful" and life.has_a_write_in_doubt(hold)
    if in_doubt or (hold.kind in ("doubtful", "give_back") and life.has_an_order_called_off(hold)):
        verdict.excuse(RULE, OWN_WRITE, f"{subject}: {hold.left} held at {hold.opened_at}", hold.left)
        return
    unexplained = hold.left - life.explain(hold)
    at_its_end = min(unexplained, life.sold_at_the_end(hold))
    if at_its_end:
        verdict.excuse(RULE, AT_ITS_END, f"{subject}: {at_its_end} held at {hold.opened_at}", at_its_end)
        unexplained -= at_its_end
    if unexplained > 0 and excuse is not None:
        verdict.excuse(RULE, excuse, f"{subject}: {unexplained} held at {hold.opened_at}", unexplained)
    elif unexplained > 0:
        told = f"{unexplained} of {hold.units} held for {hold.from_at} to {hold.to_at}, and nothing was bought unseen"
        verdict.find(RULE, subject, hold.opened_at, told)


class _Life:
    """One listing: what became of its number, and its holds. Each unit that went explains one held unit."""

    def __init__(
        self, listing: Listing, changes: Sequence[Change], vendor: str, truth: Truth, history: History
    ) -> None:
        self._changes = [each for each in changes if each.why not in ("write", "opening")]
        self._holds = history.holds[listing]
        self._decided = history.publications[listing]
        self._read_takes = _READ_TAKES[vendor]
        self._truth = truth
        self._history = history
        self._used: Counter[int] = Counter()  # by the change's number

    def explain(self, hold: Held) -> int:
        """How many of the units that are left have a cause."""
        beside = [each for each in self._holds if _together(each, hold)]  # nobody can tell whose units an order ended
        left = hold.left
        for change in self._changes:
            units = self._units(change, hold, beside) - self._used[change.number]
            taken = min(left, max(0, units))
            self._used[change.number] += taken
            left -= taken
        return hold.left - left

    def sold_at_the_end(self, hold: Held) -> int:
        """Units sold so near to the end of the read that clocks decide which was first."""
        sold = 0
        for change in self._changes:
            if hold.to_at - CLOCKS_APART <= change.at <= hold.to_at + CLOCKS_APART:
                units = max(0, change.taken - self._used[change.number])
                self._used[change.number] += units
                sold += units
        return sold

    def has_an_order_called_off(self, hold: Held) -> bool:
        """Whether units of an order were to come back to the number about then; not every channel gives them back."""
        since = hold.opened_at - _WRITE_IN_DOUBT
        sold = {(change.listing[0], change.ref) for change in self._changes if change.why == "sale"}
        called_off = (self._truth.orders[key] for key in sold if key in self._truth.orders)
        return any(each.cancelled and since <= each.updated_at <= hold.opened_at + CLOCKS_APART for each in called_off)

    def has_a_write_in_doubt(self, hold: Held) -> bool:
        since = min(hold.opened_at - _WRITE_IN_DOUBT, hold.from_at)  # from where on nobody has read it
        return any(since <= each.decided_at <= hold.opened_at for each in self._decided)

    def _units(self, change: Change, hold: Held, beside: Sequence[Held]) -> int:
        if not any(each.covers(change.at) for each in beside):
            return 0
        if hold.kind == "give_back":
            return max(0, -change.taken)
        if any(each.from_at - CLOCKS_APART <= change.at <= each.from_at + self._read_takes for each in beside):
            return abs(change.taken)  # whether that read has shown it cannot be told
        return max(0, change.taken) if self._is_unheard(change, hold.closed_at) else 0

    def _is_unheard(self, change: Change, by: datetime | None) -> bool:
        """Whether no order has told of it by then, or only one that was cancelled already."""
        known_at = self._history.known_at(change)
        if known_at is None or (by is not None and known_at > by):
            return True
        gone_at = self._gone_at(change)
        return gone_at is not None and gone_at <= known_at + CLOCKS_APART

    def _gone_at(self, sale: Change) -> datetime | None:
        backs = [each.at for each in self._changes if each.ref == sale.ref and each.taken < 0]
        order = self._truth.orders.get((sale.listing[0], sale.ref))
        if order is not None and order.cancelled:
            backs.append(order.updated_at)
        return min(backs, default=None)


def _together(one: Held, other: Held) -> bool:
    """Whether both were open at some moment."""
    return not (_ended_before(one, other) or _ended_before(other, one))


def _ended_before(one: Held, other: Held) -> bool:
    return one.closed_at is not None and one.closed_at < other.opened_at
