"""Nobody is blamed for nothing: what the daemon counts as raised by somebody, somebody has raised."""

from __future__ import annotations

from collections import Counter

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict

_OURS = ("write", "opening")


def nobody_is_blamed_for_nothing(truth: Truth, book: Book, verdict: Verdict) -> None:
    """Units that came back on sale, or that a person typed, bound the surplus that nothing explained to the daemon.

    A number that only the daemon itself can have raised means that it does not know what it has written.
    """
    raised: Counter[str] = Counter()
    for change in truth.changes:
        if change.why not in _OURS:
            raised[change.listing[0]] += max(0, -change.taken)
    for account in book.accounts:
        told = book.tallies.get((f"account:{account}", "units_surplus"), 0)
        verdict.figures[f"surplus.{account}.told"] = told
        if told > raised[account]:
            found = f"{told} units are said to be raised by somebody, {raised[account]} were"
            verdict.find("blamed.nobody_raised", account, truth.at, found)
