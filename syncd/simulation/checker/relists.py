"""No knowing relist: a write must not put on sale again what its listing had sold, as far as any rule can help it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.bounds import SEEN_S
from syncd.simulation.checker.history import CLOCKS_APART, Held, History
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings

RULE: Final = "relist"
_PLAIN_SET: Final = frozenset(("amazon", "ebay"))
_STALENESS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"amazon": timedelta(seconds=30), "ebay": timedelta(seconds=5)}
)
_SETTLES_WITHIN: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"amazon": timedelta(seconds=900), "ebay": timedelta(seconds=60)}
)
_READ_EVERY: Final = timedelta(seconds=1500)
"""A number is read again within so long, so that what came back before is known by then."""
_FIRST_READ_WITHIN: Final = timedelta(seconds=180)
_PAID_UNSEEN: Final = timedelta(seconds=SEEN_S["ebay"])
"""A purchase that has been paid shows in an order, and an order takes its time to be seen."""
_READ_TAKES: Final = timedelta(seconds=30)
"""A plain set follows a read that may have been on its way for so long."""


@dataclass(slots=True)
class Taken:
    """Units that left a listing's own number, and when the book learnt of it.

    `hidden_by`: the impossibility that hides them until their order shows, whatever is written meanwhile.
    """

    change: Change
    units: int
    known_at: datetime | None
    hidden_by: str | None = None


@dataclass(frozen=True, slots=True)
class Relist:
    """A write that knew nothing of a sale here: `units` were put on sale again.

    `erased` units were sold while the write was on its way, which left the number that much too high, lower or not.
    """

    write: Change
    units: int
    erased: int
    reason: str | None  # None: nothing excuses it


def find_relists(truth: Truth, book: Book, history: History, happenings: Happenings) -> list[Relist]:
    """Every write that took effect above what its listing showed while own sales were not in the book it came from."""
    by_listing: dict[Listing, list[Change]] = defaultdict(list)
    for change in truth.changes:
        by_listing[change.listing].append(change)
    unpaid = {(each.account, each.name): each.settled_at for each in happenings.unpaid}
    found: list[Relist] = []
    for listing, changes in by_listing.items():
        walk = _Walk(changes, book.channels[listing[0]], history, unpaid)
        found += walk.relists()
    return found


def no_knowing_relist(relists: Sequence[Relist], book: Book, verdict: Verdict) -> None:
    """What no impossibility explains is a finding; the daemon's own count of relisted units is set beside the truth."""
    true, erased = Counter[str](), Counter[str]()
    for each in relists:
        write = each.write
        subject = f"{write.listing[0]} {write.sku} change {write.number}"
        told = f"{write.before} -> {write.after}, {each.units} of it sold here and not known"
        true[write.listing[0]] += each.units
        erased[write.listing[0]] += each.erased
        if not each.units:
            continue
        if each.reason is None:
            verdict.find(RULE, subject, write.at, told)
        else:
            verdict.excuse(RULE, each.reason, f"{subject} at {write.at}: {told}", each.units)
    for account in book.accounts:
        verdict.figures[f"relisted.{account}.true"] = true[account]
        verdict.figures[f"relisted.{account}.erased"] = erased[account]
        verdict.figures[f"relisted.{account}.counted"] = book.tallies.get((f"account:{account}", "units_relisted"), 0)


def every_write_was_decided(truth: Truth, history: History, verdict: Verdict) -> None:
    """Nothing is written that was not decided, and nothing before its account went live."""
    for change in truth.changes:
        if change.why != "write":
            continue
        subject = f"{change.listing[0]} {change.sku} change {change.number}"
        live_since = history.live_since.get(change.listing[0])
        if live_since is None or change.accepted_at < live_since - CLOCKS_APART:
            verdict.find("shown.not_live", subject, change.at, "it was written before the account went live")
        if history.decided_at(change) is None:
            verdict.find("shown.undecided", subject, change.at, f"{change.after} was written, and never decided")


@dataclass(slots=True)
class _Erased:
    """A sale that a plain set may have met on its way; `units` of it have not stood in for another sale yet."""

    sale: Taken
    units: int


@dataclass(slots=True)
class _GivenBack:
    """Units that came back on sale; `units` of them have not hidden a sale yet."""

    change: Change
    units: int


class _Walk:
    """One listing's changes from the first to the last."""

    def __init__(
        self,
        changes: Sequence[Change],
        vendor: str,
        history: History,
        unpaid: Mapping[tuple[str, str], datetime | None],
    ) -> None:
        self._changes = changes
        self._vendor = vendor
        self._history = history
        self._unpaid = unpaid
        self._taken: list[Taken] = []
        self._raised_at: list[datetime] = []  # by hand
        self._given_back: list[_GivenBack] = []
        self._erased: dict[int, _Erased] = {}  # by the sale's number

    def relists(self) -> list[Relist]:
        found: list[Relist] = []
        for change in self._changes:
            if change.why in ("write", "opening"):
                found += self._weigh(change)
            elif change.why == "hand":
                if change.taken < 0:
                    self._raised_at.append(change.at)
            elif change.taken > 0:
                self._taken.append(Taken(change, change.taken, self._history.known_at(change)))
            else:
                self._give_back(change)
        return found

    def _give_back(self, change: Change) -> None:
        units = -change.taken
        self._given_back.append(_GivenBack(change, units))
        for each in reversed(self._taken):
            if each.change.ref == change.ref:
                back = min(units, each.units)
                each.units -= back
                units -= back

    def _weigh(self, write: Change) -> list[Relist]:
        decided_at = self._history.decided_at(write)
        if decided_at is None:
            return []
        self._taken = [
            each for each in self._taken if each.units and (each.known_at is None or each.known_at > decided_at)
        ]
        raised, left = max(0, write.after - write.before), write.after
        if left <= 0:
            return []
        found: list[Relist] = []
        for each in self._taken:
            erased = min(each.units, left)
            if erased and self._is_in_race(each.change, decided_at):
                self._erased.setdefault(each.change.number, _Erased(each, erased))
            if not erased or self._is_held(each.change, decided_at):
                continue
            units = min(erased, raised)
            raised, left = raised - units, left - erased
            found.append(Relist(write, units, erased, self._reason(each, write, decided_at)))
        return found

    def _is_in_race(self, sale: Change, decided_at: datetime) -> bool:
        """Whether the read that a plain set follows may have been too early for a sale."""
        return self._vendor in _PLAIN_SET and sale.at >= decided_at - _READ_TAKES - _STALENESS[self._vendor]

    def _is_held(self, sale: Change, at: datetime) -> bool:
        return any(each.covers(sale.at) and each.is_open(at) for each in self._history.holds[sale.listing])

    def _reason(self, taken: Taken, write: Change, decided_at: datetime) -> str | None:
        """Which impossibility made the daemon write this; None: none."""
        sale = taken.change
        if self._is_in_race(sale, decided_at):
            return "P2" if self._is_hidden(sale, decided_at) else "P1"
        if self._vendor in _PLAIN_SET and write.at > decided_at + _SETTLES_WITHIN[self._vendor]:
            return "P5"
        if any(sale.at <= at <= write.at for at in self._raised_at):
            return "P3"
        taken.hidden_by = taken.hidden_by or self._what_hides(sale, write, decided_at)
        if taken.hidden_by:
            return taken.hidden_by
        holds = self._history.holds[sale.listing]
        if any(each.covers(sale.at) and each.ran_out for each in holds):
            return "a hold shorter than the order's delay"
        if self._is_hidden(sale, decided_at - _PAID_UNSEEN) and self._is_older_than_any_read(sale):
            return "a hidden purchase older than the first read"
        return None

    def _is_older_than_any_read(self, sale: Change) -> bool:
        """Whether its number was never seen as it had been before; it is read soon after its account goes live."""
        live_since = self._history.live_since.get(sale.listing[0])
        first_anchor = self._history.publications[sale.listing][0].anchored_at
        if live_since is None or first_anchor is None:
            return False
        return sale.at <= min(first_anchor, live_since + _FIRST_READ_WITHIN)

    def _is_hidden(self, sale: Change, at: datetime) -> bool:
        """Whether the purchase shows in no order of the channel at that moment."""
        key = (sale.listing[0], sale.ref)
        settled_at = self._unpaid.get(key)
        return self._vendor == "ebay" and key in self._unpaid and (settled_at is None or settled_at > at)

    def _what_hides(self, sale: Change, write: Change, decided_at: datetime) -> str | None:
        if self._hides_behind_a_drop(sale, write, decided_at):
            return "P4"
        return "P2" if self._lost_its_hold(sale, decided_at) else None

    def _lost_its_hold(self, sale: Change, at: datetime) -> bool:
        """Whether the order of a sale that a plain set erased has ended the hold of this one.

        One unit was missing, two were sold and one of them erased: which of the two nobody can tell.
        """
        for hold in self._history.holds[sale.listing]:
            if not hold.covers(sale.at) or hold.ran_out or hold.closed_at is None or hold.closed_at > at:
                continue
            for other in self._erased.values():
                if other.units and other.sale.change is not sale and self._may_have_ended(hold, other.sale):
                    other.units -= 1
                    return True
        return False

    def _may_have_ended(self, hold: Held, other: Taken) -> bool:
        """Whether a sale was made about when the read was that opened the hold, and its order then ended it."""
        known_at, ended_at = other.known_at, hold.closed_at
        in_the_read = other.change.at >= hold.to_at - _READ_TAKES - _STALENESS[self._vendor]
        ended = known_at is not None and ended_at is not None and hold.opened_at <= known_at <= ended_at
        return in_the_read and ended and hold.covers(other.change.at)

    def _hides_behind_a_drop(self, sale: Change, write: Change, decided_at: datetime) -> bool:
        """Whether units came back on sale about then and the book did not know of it: each hides one sold, and is free.

        Of a purchase that showed in no order it never learns that; of a cancelled order it does, by and by.
        """
        for back in self._given_back:
            known_at = self._history.known_at(back.change)
            unseen = known_at is None or known_at > decided_at
            if back.units and unseen and sale.at - _READ_EVERY <= back.change.at <= write.at:
                back.units -= 1
                return True
        return False
