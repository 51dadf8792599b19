"""No knowing relist: a write must not put on sale again what its listing had sold, as far as any rule can help it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.history import History
from syncd.simulation.checker.holding import Holding, is_known
from syncd.simulation.checker.impossible import Impossible, Taken
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings

RULE: Final = "relist"


@dataclass(frozen=True, slots=True)
class Relist:
    """A write that knew nothing of a sale here: `units` were put on sale again.

    `erased` units were sold while the write was on its way, which left the number that much too high, lower or not.
    """

    write: Change
    units: int
    erased: int
    reason: str | None  # None: nothing excuses it
    sale: Change
    known_at: datetime | None  # when the book learnt of the sale


def find_relists(truth: Truth, book: Book, history: History, happenings: Happenings) -> list[Relist]:
    """Every write that took effect without own sales in it: they were not in the book that it came from."""
    by_listing: dict[Listing, list[Change]] = defaultdict(list)
    for change in truth.changes:
        by_listing[change.listing].append(change)
    unpaid = {(each.account, each.name): each.settled_at for each in happenings.unpaid}
    found: list[Relist] = []
    for listing, changes in by_listing.items():
        walk = _Walk(changes, book.channels[listing[0]], history, unpaid)
        found += walk.relists()
    return found


def no_knowing_relist(relists: Sequence[Relist], book: Book, verdict: Verdict, *, clocks_agree: bool = True) -> None:
    """What no impossibility explains is a finding, also where a lower number was written that was still too high.

    Such a lower one only where clocks agree: a sale of the same moment may be before it or after.
    """
    true, erased = Counter[str](), Counter[str]()
    for each in relists:
        write = each.write
        subject = f"{write.listing[0]} {write.sku} change {write.number}"
        told = f"{write.before} -> {write.after}, {each.erased} of it sold here and not known"
        true[write.listing[0]] += each.units
        erased[write.listing[0]] += each.erased
        if each.reason is None and not each.units and not clocks_agree:
            verdict.excuse(RULE, "clocks of real processes", f"{subject} at {write.at}: {told}", each.erased)
        elif each.reason is None:
            verdict.find(RULE, subject, write.at, told)
        elif each.units:
            verdict.excuse(RULE, each.reason, f"{subject} at {write.at}: {told}", each.units)
    for account in book.accounts:
        verdict.figures[f"relisted.{account}.true"] = true[account]
        verdict.figures[f"relisted.{account}.erased"] = erased[account]


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
        self._history = history
        self._impossible = Impossible(vendor, history, unpaid)
        self._sold: list[Taken] = []

    def relists(self) -> list[Relist]:
        found: list[Relist] = []
        for change in self._changes:
            if change.why in ("write", "opening"):
                found += self._weigh(change)
                self._impossible.note_write(change)
            elif change.why == "hand":
                if change.taken < 0:
                    self._impossible.note_typed(change)
            elif change.taken > 0:
                self._sold.append(Taken(change, change.taken, self._history.known_at(change)))
            else:
                self._give_back(change)
        return found

    def _give_back(self, change: Change) -> None:
        self._impossible.note_give_back(change)
        units = -change.taken
        for each in reversed(self._sold):
            if each.change.ref == change.ref:
                back = min(units, each.units)
                each.units -= back
                units -= back

    def _weigh(self, write: Change) -> list[Relist]:
        decided_at = self._history.decided_at(write)
        if decided_at is None or write.after <= 0:
            return []
        held = Holding(self._history.holds[write.listing], self._sold, decided_at)
        raised, left = max(0, write.after - write.before), write.after
        found: list[Relist] = []
        for each in self._sold:
            if not each.units or is_known(each, decided_at):
                continue
            self._impossible.note_met(each, min(each.units, left), decided_at)
            erased = min(each.units - held.take(each), left)
            if not erased:
                continue
            left -= erased
            for reason, part in self._impossible.of(each, erased, write, decided_at).items():
                units = min(part, raised)
                raised -= units
                found.append(Relist(write, units, part, reason, each.change, each.known_at))
        return found
