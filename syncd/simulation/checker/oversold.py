"""Units that were sold and never existed: how many, and what had misled the shopper, by what was known when."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.bounds import READ_AGAIN_S, SEEN_S, SHOWN_S, Bounds
from syncd.simulation.checker.history import History
from syncd.simulation.checker.misled import ALLOWED, Misled, Source, Supply
from syncd.simulation.checker.relists import Relist
from syncd.simulation.checker.sold import Ledger, Oversell, Sale
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.scene import Scene

RULE: Final = "oversold"
_SET: Final = ("opening", "write", "hand")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Judge:
    """Says what had misled the shoppers who bought what was not there. What it says uses up what misled them."""

    def __init__(
        self, scene: Scene, truth: Truth, book: Book, history: History, relists: Sequence[Relist], bounds: Bounds
    ) -> None:
        self._channels = book.channels
        self._history = history
        self._bounds = bounds
        self._supply = Supply()
        self._miscounts = [each for each in scene.happenings.miscounts if each.pieces > 0]
        self._damages = scene.happenings.damages
        self._unpaid = {(each.account, each.name): each.settled_at for each in scene.happenings.unpaid}
        self._by_listing: dict[Listing, list[Change]] = defaultdict(list)
        for change in truth.changes:
            self._by_listing[change.listing].append(change)
        self._relists: dict[Listing, list[Relist]] = defaultdict(list)
        for each in relists:
            self._relists[each.write.listing].append(each)

    def weigh(self, oversell: Oversell, ledger: Ledger) -> Counter[Misled]:
        """What misled, in pieces of the SKU that was missing. Oversells of a SKU come in the order of time."""
        each = dict(ledger.pieces.parts[oversell.change.sku])[oversell.sku]
        written = self._written_before(oversell.change)
        as_of = self._history.decided_at(written) or written.at
        sources = [
            *self._sold_elsewhere(oversell, ledger, as_of),
            *self._typed(oversell, written, each),
            *self._relisted(oversell, written, each),
            *self._miscounted(oversell),
            *self._broken(oversell),
            *self._given_back(oversell, ledger, as_of, each),
        ]
        return self._supply.take(oversell, [source for source in sources if source.pieces > 0])

    def _sold_elsewhere(self, oversell: Oversell, ledger: Ledger, as_of: datetime) -> Iterator[Source]:
        """What other listings had sold that the number did not know of: it came from the book `as_of` then."""
        bought = oversell.change
        for sale in ledger.streams[oversell.sku].sales:
            elsewhere = sale.change.listing != bought.listing and sale.change.place < bought.place
            if elsewhere and not sale.is_seen_at(as_of):
                misled, until = self._why_not_shown(sale, bought)
                yield Source(misled, sale.change.place, sale.net(bought.at), until)

    def _typed(self, oversell: Oversell, written: Change, each: int) -> Iterator[Source]:
        """What a person added to the number that was written last; a later write would have replaced it."""
        bought = oversell.change
        account = bought.listing[0]
        for change in self._by_listing[bought.listing]:
            if change.why == "hand" and change.taken < 0 and written.number < change.number < bought.number:
                until = self._bounds.due(change.at, READ_AGAIN_S[self._channels[account]], account)
                if bought.at <= until:
                    yield Source(Misled.TYPED, change.place, -change.taken * each, until)

    def _relisted(self, oversell: Oversell, written: Change, each: int) -> Iterator[Source]:
        """What the last write put on sale again, and could not help it."""
        for index, relist in enumerate(self._relists[written.listing]):
            until = self._corrected_by(relist)
            excused = relist.write == written and relist.reason is not None
            if excused and oversell.change.at <= until:
                yield Source(Misled.RELISTED, (written.place, index), relist.erased * each, until)

    def _miscounted(self, oversell: Oversell) -> Iterator[Source]:
        """Pieces that the book had too many of, up to when the right count must have been shown."""
        for index, miscount in enumerate(self._miscounts):
            if miscount.sku == oversell.sku and miscount.at <= oversell.change.at:
                until = self._shown_by(miscount.corrected_at, oversell.change)
                if oversell.change.at <= until:
                    yield Source(Misled.MISCOUNTED, ("miscount", index), miscount.pieces, until)

    def _broken(self, oversell: Oversell) -> Iterator[Source]:
        """Pieces that broke, up to when that must have been shown."""
        for index, damage in enumerate(self._damages):
            if damage.sku == oversell.sku and damage.at <= oversell.change.at:
                until = self._shown_by(damage.told_at, oversell.change)
                if oversell.change.at <= until:
                    yield Source(Misled.BROKEN, ("damage", index), damage.pieces, until)

    def _shown_by(self, told_at: datetime | None, bought: Change) -> datetime:
        """When what the book was told must be what shoppers are shown."""
        account = bought.listing[0]
        return _NEVER if told_at is None else self._bounds.due(told_at, SHOWN_S[self._channels[account]], account)

    def _given_back(self, oversell: Oversell, ledger: Ledger, as_of: datetime, each: int) -> Iterator[Source]:
        """Pieces that the channel itself put on sale again, already wanted elsewhere, and that nobody had to see yet.

        No number is shown below zero: what comes back is on sale then, and free only beyond what was missing.
        """
        at, listing = oversell.change.at, oversell.change.listing
        vendor = self._channels[listing[0]]
        for change in self._by_listing[listing]:
            if change.why in _SET or change.taken >= 0 or not as_of < change.at < at:
                continue
            hidden = self._hidden(change, change.at)
            within_s = READ_AGAIN_S[vendor] if hidden else SEEN_S[vendor] + SHOWN_S[vendor]
            until = self._bounds.due(change.at, within_s, listing[0])
            if at <= until:
                missing = max(0, -ledger.free_before(oversell.sku, change.at))
                yield Source(Misled.GIVEN_BACK, change.place, min(missing, -change.taken * each), until)

    def _written_before(self, sale: Change) -> Change:
        """The last number that we set there."""
        changes = self._by_listing[sale.listing]
        before = changes[: bisect_left(changes, sale.number, key=lambda change: change.number)]
        return next((each for each in reversed(before) if each.why in ("write", "opening")), before[0])

    def _why_not_shown(self, sale: Sale, bought: Change) -> tuple[Misled, datetime]:
        """Why a sale elsewhere was not shown here, and until when it need not be."""
        account, here = sale.change.listing[0], bought.listing[0]
        if sale.known_at is not None and sale.known_at <= bought.at:
            due = self._bounds.due(sale.known_at, SHOWN_S[self._channels[here]], here, account)
            return (Misled.LAG if bought.at <= due else Misled.UNSHOWN), due
        if self._hidden(sale.change, bought.at):
            due = self._bounds.due(sale.change.at, READ_AGAIN_S[self._channels[account]], account)
            return (Misled.UNPAID if bought.at <= due else Misled.UNSEEN), due
        due = self._bounds.due(sale.change.at, SEEN_S[self._channels[account]], account)
        return (Misled.LAG if bought.at <= due else Misled.UNSEEN), due

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
