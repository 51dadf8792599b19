"""Units that were sold and never existed: how many, and what had misled the shopper, by what was known when."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.bounds import READ_AGAIN_S, SEEN_S, SHOWN_S, Bounds
from syncd.simulation.checker.history import History
from syncd.simulation.checker.relists import Relist
from syncd.simulation.checker.sold import Ledger, Oversell, Sale
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.scene import Scene

RULE: Final = "oversold"
_SET: Final = ("opening", "write", "hand")


class Misled(StrEnum):
    """What had made a listing show more than there was; the first five are allowed."""

    LAG = "P7"  # sold elsewhere so lately that nobody could have shown it here
    UNPAID = "P7 an unpaid purchase"
    TYPED = "P3 a number typed by hand"
    RELISTED = "a relist"
    GIVEN_BACK = "P4"  # the channel put units on sale again that were wanted elsewhere
    UNSEEN = "sold elsewhere long ago, and not in the book"
    UNSHOWN = "sold elsewhere, long in the book, and not shown here"
    NOTHING = "nothing explains it"


ALLOWED: Final = (Misled.LAG, Misled.UNPAID, Misled.TYPED, Misled.RELISTED, Misled.GIVEN_BACK)


class Judge:
    """Says what had misled the shoppers who bought what was not there."""

    def __init__(
        self, scene: Scene, truth: Truth, book: Book, history: History, relists: Sequence[Relist], bounds: Bounds
    ) -> None:
        self._channels = book.channels
        self._history = history
        self._bounds = bounds
        self._unpaid = {(each.account, each.name): each.settled_at for each in scene.happenings.unpaid}
        self._by_listing: dict[Listing, list[Change]] = defaultdict(list)
        for change in truth.changes:
            self._by_listing[change.listing].append(change)
        self._relists: dict[Listing, list[Relist]] = defaultdict(list)
        for each in relists:
            self._relists[each.write.listing].append(each)

    def weigh(self, oversell: Oversell, ledger: Ledger) -> Counter[Misled]:
        """What misled, in pieces of the SKU that was missing."""
        at, listing = oversell.change.at, oversell.change.listing
        each = dict(ledger.pieces.parts[oversell.change.sku])[oversell.sku]
        since = self._as_of(oversell.change)
        there: Counter[Misled] = Counter()
        for sale in ledger.streams[oversell.sku].sales:
            elsewhere = sale.change.listing != listing and sale.change.place < oversell.change.place
            if elsewhere and not sale.is_seen_at(since):
                there[self._why_not_shown(sale, oversell.change)] += max(0, sale.net(at))
        for change in self._by_listing[listing]:
            if change.why == "hand" and change.taken < 0 and change.at < at:
                vendor = self._channels[listing[0]]
                if at <= self._bounds.due(change.at, READ_AGAIN_S[vendor], listing[0]):
                    there[Misled.TYPED] += -change.taken * each
        for relist in self._relists[listing]:
            if relist.write.at < at <= self._corrected_by(relist):
                there[Misled.RELISTED] += relist.erased * each
        there[Misled.GIVEN_BACK] = self._given_back(oversell, ledger, each)
        return _shared_out(oversell.missing, there)

    def _given_back(self, oversell: Oversell, ledger: Ledger, each: int) -> int:
        """Pieces that the channel itself put on sale again, already wanted elsewhere, and that nobody had to see yet.

        No number is shown below zero: what comes back is on sale then, and free only beyond what was missing.
        """
        at, listing = oversell.change.at, oversell.change.listing
        vendor, since, pieces = self._channels[listing[0]], self._as_of(oversell.change), 0
        for change in self._by_listing[listing]:
            if change.why in _SET or change.taken >= 0 or not since < change.at < at:
                continue
            hidden = self._hidden(change, change.at)
            within_s = READ_AGAIN_S[vendor] if hidden else SEEN_S[vendor] + SHOWN_S[vendor]
            if at <= self._bounds.due(change.at, within_s, listing[0]):
                missing = max(0, -ledger.free_before(oversell.sku, change.at))
                pieces += min(missing, -change.taken * each)
        return pieces

    def _as_of(self, sale: Change) -> datetime:
        """From when the book is that the shown number came from."""
        changes = self._by_listing[sale.listing]
        before = changes[: bisect_left(changes, sale.number, key=lambda change: change.number)]
        written = next((each for each in reversed(before) if each.why in ("write", "opening")), before[0])
        return self._history.decided_at(written) or written.at

    def _why_not_shown(self, sale: Sale, bought: Change) -> Misled:
        account, here = sale.change.listing[0], bought.listing[0]
        if sale.known_at is not None and sale.known_at <= bought.at:
            due = self._bounds.due(sale.known_at, SHOWN_S[self._channels[here]], here, account)
            return Misled.LAG if bought.at <= due else Misled.UNSHOWN
        if self._hidden(sale.change, bought.at):
            due = self._bounds.due(sale.change.at, READ_AGAIN_S[self._channels[account]], account)
            return Misled.UNPAID if bought.at <= due else Misled.UNSEEN
        due = self._bounds.due(sale.change.at, SEEN_S[self._channels[account]], account)
        return Misled.LAG if bought.at <= due else Misled.UNSEEN

    def _hidden(self, sale: Change, at: datetime) -> bool:
        key = (sale.listing[0], sale.ref)
        settled_at = self._unpaid.get(key)
        return self._channels[key[0]] == "ebay" and key in self._unpaid and (settled_at is None or settled_at > at)

    def _corrected_by(self, relist: Relist) -> datetime:
        """When a relisted number must have been set right: once its sale is known, and written again."""
        account = relist.write.listing[0]
        vendor = self._channels[account]
        return self._bounds.due(relist.write.at, SEEN_S[vendor] + SHOWN_S[vendor], account)


def each_oversold_unit_has_a_cause(ledger: Ledger, judge: Judge, verdict: Verdict) -> None:
    """What an impossibility has misled is counted by it; anything else must not be."""
    for each in ledger.oversells():
        verdict.figures[f"oversold.{each.change.listing[0]}.true"] += each.units
        causes = judge.weigh(each, ledger)
        subject = f"{each.change.listing[0]} {each.change.sku} order {each.change.ref}"
        told = ", ".join(f"{pieces} by {cause}" for cause, pieces in causes.items())
        for cause, pieces in causes.items():
            if cause in ALLOWED:
                verdict.excuse(RULE, cause.value, f"{subject} at {each.change.at}: {each.missing} {each.sku}", pieces)
            else:
                verdict.find(RULE, subject, each.change.at, f"{each.missing} pieces of {each.sku} missing: {told}")


def oversold_units_are_counted(ledger: Ledger, book: Book, verdict: Verdict) -> None:
    """Where the orders that have come in want more than there is, the book has an oversold line of that SKU."""
    counted: Counter[str] = Counter()
    for key, order in book.orders.items():
        for line in order.lines.values():
            verdict.figures[f"oversold.{key[0]}.counted"] += line.oversold
            counted.update({sku: line.oversold * pieces for sku, pieces in line.pieces.items()})
    for each in ledger.oversells():
        booked = [sale.booked_at for sale in ledger.streams[each.sku].sales if sale.booked_at is not None]
        if not counted[each.sku] and any(ledger.known_free_at(each.sku, at) < 0 for at in booked):
            subject = f"{each.change.listing[0]} {each.change.sku} order {each.change.ref}"
            verdict.find("oversold.uncounted", subject, each.change.at, f"{each.missing} pieces of {each.sku}")


def _shared_out(missing: int, there: Mapping[Misled, int]) -> Counter[Misled]:
    """As many of the missing pieces to each cause as it has, in the order of the causes."""
    shares: Counter[Misled] = Counter()
    for cause in Misled:
        pieces = min(missing, there.get(cause, 0))
        if pieces:
            shares[cause] = pieces
            missing -= pieces
    if missing:
        shares[Misled.NOTHING] = missing
    return shares
