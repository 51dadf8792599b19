"""What can have made a listing show more than there was, and how much of it is left to explain the next oversell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from syncd.simulation.checker.sold import Oversell


class Misled(StrEnum):
    """What had made a listing show more than there was; those of ALLOWED no rule of publishing prevents."""

    LAG = "P7"  # sold elsewhere so lately that nobody could have shown it here
    UNPAID = "P7 an unpaid purchase"
    TYPED = "P3 a number typed by hand"
    MISCOUNTED = "a shelf counted wrongly"
    BROKEN = "goods that broke since"
    RELISTED = "a relist"
    GIVEN_BACK = "P4"  # the channel put units on sale again that were wanted elsewhere
    UNSEEN = "sold elsewhere long ago, and not in the book"
    UNSHOWN = "sold elsewhere, long in the book, and not shown here"
    NOTHING = "nothing explains it"


ALLOWED: Final = (
    Misled.LAG,
    Misled.UNPAID,
    Misled.TYPED,
    Misled.MISCOUNTED,
    Misled.BROKEN,
    Misled.RELISTED,
    Misled.GIVEN_BACK,
)
_BOOK_KNOWS_BETTER: Final = frozenset((Misled.TYPED, Misled.RELISTED, Misled.GIVEN_BACK))
"""Only the number itself was too high: the next one that the book works out has nothing of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that misled the shoppers of a listing: `pieces` too many of the SKU, `until` it had to be mended.

    `key` is the thing itself: the sale elsewhere, the number typed, the write that relisted, the give-back.
    """

    misled: Misled
    key: Hashable
    pieces: int
    until: datetime

    @property
    def order(self) -> tuple[bool, datetime]:
        """Those that are allowed first, and of them the one that is over first."""
        return self.misled not in ALLOWED, self.until


class Supply:
    """What the sources are still good for. Oversells come in the order of time.

    A thing misleads the shoppers of every listing once: what a listing sells lowers its own number, so a piece that is
    not there is sold there no second time, though at every other listing that shows it. Only where goods came in for
    what was missing is a piece that the book does not know to be gone shown anew.
    """

    def __init__(self) -> None:
        self._used: Counter[Hashable] = Counter()
        self._shown_anew: Counter[str] = Counter()

    def take(self, oversell: Oversell, sources: Iterable[Source]) -> Counter[Misled]:
        """The missing pieces by what misled; what no source is good for is by nothing."""
        shares: Counter[Misled] = Counter()
        missing = oversell.missing
        self._shown_anew[oversell.sku] += oversell.covered
        for source in sorted(sources, key=lambda each: each.order):
            pieces = self._eat(oversell, source, missing)
            if pieces:
                shares[source.misled] += pieces
                missing -= pieces
        if missing:
            shares[Misled.NOTHING] = missing
        return shares

    def _eat(self, oversell: Oversell, source: Source, missing: int) -> int:
        key = (oversell.sku, oversell.change.listing, source.misled in _BOOK_KNOWS_BETTER, source.key)
        first = max(0, min(missing, source.pieces - self._used[key]))
        self._used[key] += first
        if source.misled in _BOOK_KNOWS_BETTER:
            return first
        anew = max(0, min(missing - first, source.pieces - first, self._shown_anew[oversell.sku]))
        self._shown_anew[oversell.sku] -= anew
        return first + anew
