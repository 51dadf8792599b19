"""Which impossibility of publishing explains that a sold unit was written as if it were there; each explains its units.

One listing's, told of its changes from the first to the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.bounds import SEEN_S
from syncd.simulation.checker.history import Held, History
from syncd.simulation.checker.truth import Change

TOO_SHORT: Final = "a hold shorter than the order's delay"
TOO_OLD: Final = "a hidden purchase older than the first read"

PLAIN_SET: Final = frozenset(("amazon", "ebay"))
STALENESS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"amazon": timedelta(seconds=30), "ebay": timedelta(seconds=5)}
)
SETTLES_WITHIN: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"amazon": timedelta(seconds=900), "ebay": timedelta(seconds=60)}
)
READ_EVERY: Final = timedelta(seconds=1500)
"""A number is read again within so long, so that what came back before is known by then."""
_FIRST_READ_WITHIN: Final = timedelta(seconds=180)
_PAID_UNSEEN: Final = timedelta(seconds=SEEN_S["ebay"])
"""A purchase that has been paid shows in an order, and an order takes its time to be seen."""
READ_TAKES: Final = timedelta(seconds=30)
"""A plain set follows a read that may have been on its way for so long."""


@dataclass(slots=True)
class Taken:
    """Units that left a listing's own number, and when the book learnt of it.

    `hidden` until their order shows, whatever is written meanwhile: units by the impossibility that hides them.
    """

    change: Change
    units: int
    known_at: datetime | None
    hidden: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Hides:
    """Something that hides sales of these units, and `units` that have not hidden one yet."""

    units: int


@dataclass(slots=True)
class _Rise(_Hides):
    """Units that came back on sale, or that a person typed."""

    change: Change


@dataclass(slots=True)
class _Erased(_Hides):
    """A sale that a plain set may have met on its way: its order may end the hold of another one."""

    sale: Taken


class Impossible:
    """What excuses the writes of one listing. Whatever can hide only so many units hides no others after them."""

    def __init__(self, vendor: str, history: History, unpaid: Mapping[tuple[str, str], datetime | None]) -> None:
        self._vendor = vendor
        self._history = history
        self._unpaid = unpaid
        self._written: list[Change] = []
        self._typed: list[_Rise] = []
        self._given_back: list[_Rise] = []
        self._erased: dict[int, _Erased] = {}  # by the sale's number
        self._run_out: dict[Held, _Hides] = {}

    def note_write(self, write: Change) -> None:
        """A number was set, explained or not."""
        self._written.append(write)

    def note_typed(self, change: Change) -> None:
        """A person raised the number."""
        self._typed.append(_Rise(-change.taken, change))

    def note_give_back(self, change: Change) -> None:
        """The channel put units on sale again."""
        self._given_back.append(_Rise(-change.taken, change))

    def note_met(self, sale: Taken, units: int, decided_at: datetime) -> None:
        """A write met so many units of a sale that it did not know of: a plain set may have erased them."""
        if self._is_in_race(sale.change, decided_at):
            self._erased.setdefault(sale.change.number, _Erased(units, sale))

    def of(self, taken: Taken, units: int, write: Change, decided_at: datetime) -> Counter[str | None]:
        """So many units of a sale by what made the daemon write as if they were there; None: nothing excuses it."""
        always = self._excuses_all(taken.change, write, decided_at)
        if always is not None:
            return Counter({always: units})
        self._hide(taken, units, write, decided_at)
        shares: Counter[str | None] = Counter()
        for reason, hidden in taken.hidden.items():
            shares[reason] = min(units, hidden)
            units -= shares[reason]
        if units and self._is_too_old(taken.change, write, decided_at):
            shares[TOO_OLD], units = units, 0
        shares[None] = units
        return +shares

    def _excuses_all(self, sale: Change, write: Change, decided_at: datetime) -> str | None:
        """What excuses every unit of a sale, however many there are."""
        if self._is_in_race(sale, decided_at):
            return "P2" if self._is_hidden(sale, decided_at) else "P1"
        if self._vendor in PLAIN_SET and write.at > decided_at + SETTLES_WITHIN[self._vendor]:
            return "P5"
        return None

    def _hide(self, taken: Taken, units: int, write: Change, decided_at: datetime) -> None:
        """Let what can hide units of a sale hide those that nothing hides yet."""
        for reason, hides in self._hiding(taken.change, write, decided_at):
            more = min(units - taken.hidden.total(), hides.units)
            if more > 0:
                hides.units -= more
                taken.hidden[reason] += more

    def _hiding(self, sale: Change, write: Change, decided_at: datetime) -> Iterator[tuple[str, _Hides]]:
        """Everything that can hide this sale, by impossibility."""
        for rise in self._typed:
            if self._is_hidden_by_typing(sale, rise.change, write):
                yield "P3", rise
        for rise in self._given_back:
            if self._is_hidden_by_a_drop(sale, rise.change, write, decided_at):
                yield "P4", rise
        for hold in self._history.holds[sale.listing]:
            if not hold.covers(sale.at):
                continue
            if hold.ran_out:
                yield TOO_SHORT, self._run_out.setdefault(hold, _Hides(hold.left))
            elif hold.closed_at is not None and hold.closed_at <= decided_at:
                mistaken = [each for each in self._erased.values() if self._may_have_ended(hold, each.sale, sale)]
                yield from (("P2", each) for each in mistaken)

    def _is_hidden_by_typing(self, sale: Change, typed: Change, write: Change) -> bool:
        """Whether the number looks as if nothing had been: typed up after the sale, or before it and not read between.

        A write in between had read the number, or compared it with what it should be, so that it knew what was typed.
        """
        if typed.number > sale.number:
            return typed.at <= write.at
        told = any(typed.number < each.number < sale.number for each in self._written)
        return not told and sale.at - READ_EVERY <= typed.at

    def _is_hidden_by_a_drop(self, sale: Change, back: Change, write: Change, decided_at: datetime) -> bool:
        """Whether units came back on sale about then and the book did not know of it: each hides one sold, and is free.

        Of a purchase that showed in no order it never learns that; of a cancelled order it does, by and by.
        """
        known_at = self._history.known_at(back)
        unseen = known_at is None or known_at > decided_at
        return unseen and sale.at - READ_EVERY <= back.at <= write.at

    def _may_have_ended(self, hold: Held, other: Taken, sale: Change) -> bool:
        """Whether the order of a sale that a plain set erased has ended the hold of this one.

        One unit was missing, two were sold and one of them erased: which of the two nobody can tell. The other was
        made about when the read was that opened the hold, and its order then ended it.
        """
        known_at, ended_at = other.known_at, hold.closed_at
        in_the_read = other.change.at >= hold.to_at - READ_TAKES - STALENESS[self._vendor]
        ended = known_at is not None and ended_at is not None and hold.opened_at <= known_at <= ended_at
        return other.change is not sale and in_the_read and ended and hold.covers(other.change.at)

    def _is_in_race(self, sale: Change, decided_at: datetime) -> bool:
        """Whether the read that a plain set follows may have been too early for a sale."""
        too_early = READ_TAKES + STALENESS[self._vendor] + self._history.delay if self._vendor in PLAIN_SET else None
        return too_early is not None and sale.at >= decided_at - too_early

    def _is_hidden(self, sale: Change, at: datetime) -> bool:
        """Whether the purchase shows in no order of the channel at that moment."""
        key = (sale.listing[0], sale.ref)
        settled_at = self._unpaid.get(key)
        return self._vendor == "ebay" and key in self._unpaid and (settled_at is None or settled_at > at)

    def _is_too_old(self, sale: Change, write: Change, decided_at: datetime) -> bool:
        """Whether its number was never seen as it had been before; it is read soon after its account goes live.

        A purchase that shows in no order may be met by a raise. One whose order is on its way is met by a lower number
        only: a raise waits for a complete poll.
        """
        live_since = self._history.live_since.get(sale.listing[0])
        first_anchor = self._history.publications[sale.listing][0].anchored_at
        if live_since is None or first_anchor is None:
            return False
        unseen = sale.at <= min(first_anchor, live_since + _FIRST_READ_WITHIN)
        return unseen and (write.after <= write.before or self._is_hidden(sale, decided_at - _PAID_UNSEEN))
