"""Nobody is blamed for nothing: what the daemon counts as raised by somebody, somebody has raised."""

from __future__ import annotations

from collections import Counter
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.clocks import STEPPED, Clocks
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict

RULE: Final = "blamed.nobody_raised"
OURS = ("write", "opening")


def nobody_is_blamed_for_nothing(truth: Truth, book: Book, verdict: Verdict, clocks: Clocks | None = None) -> None:
    """Units that came back on sale, or that a person typed, bound the surplus that nothing explained to the daemon.

    A number that only the daemon itself can have raised means that it does not know what it has written.
    """
    raised: Counter[str] = Counter()
    for change in truth.changes:
        if change.why not in OURS:
            raised[change.listing[0]] += max(0, -change.taken)
    for account in book.accounts:
        told = book.tallies.get((f"account:{account}", "units_surplus"), 0)
        verdict.figures[f"surplus.{account}.told"] = told
        if told > raised[account]:
            found = f"{told} units are said to be raised by somebody, {raised[account]} were"
            if clocks is not None and clocks.stepped:
                verdict.excuse(RULE, STEPPED, f"{account}: {found}", told - raised[account])
            else:
                verdict.find(RULE, account, truth.at, found)
