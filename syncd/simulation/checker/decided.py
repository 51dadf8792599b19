"""Nothing is written that was not decided: the number that took effect is the one decided last, and is written once."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.history import CLOCKS_APART, History, Publication
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict

_BY_KEY = "shopify"
"""The one vendor who names the key of a write that took effect."""


def every_write_was_decided(truth: Truth, book: Book, history: History, verdict: Verdict) -> None:
    """Nothing is written that was not decided, and nothing before its account went live."""
    used: Counter[tuple[Listing, datetime]] = Counter()
    for change in truth.changes:
        if change.why != "write":
            continue
        account = change.listing[0]
        subject = f"{account} {change.sku} change {change.number}"
        live_since = history.live_since.get(account)
        if live_since is None or change.accepted_at < live_since - CLOCKS_APART:
            verdict.find("shown.not_live", subject, change.at, "it was written before the account went live")
        if book.channels[account] == _BY_KEY:
            _was_decided_under_its_key(change, subject, history, verdict)
        else:
            _was_decided_last(change, subject, history, used, verdict)


def _was_decided_under_its_key(write: Change, subject: str, history: History, verdict: Verdict) -> None:
    """A compare-and-set has the number that was stored under its key before it left."""
    stored_at = history.pushes.get(write.ref)
    if stored_at is None:
        verdict.find("shown.undecided", subject, write.at, f"{write.after} was written, and its key never stored")
        return
    decided = [each.value for each in history.publications[write.listing] if each.decided_at == stored_at]
    if write.after not in decided:
        told = f"{write.after} was written under a key that was stored for {decided or 'other listings'}"
        verdict.find("shown.undecided", subject, write.at, told)


def _was_decided_last(
    write: Change, subject: str, history: History, used: Counter[tuple[Listing, datetime]], verdict: Verdict
) -> None:
    """A plain set has no key: it has the number decided last when it was sent, and each is sent once."""
    latest = _latest(history.publications[write.listing], write)
    of_it = [each for each in latest if each.value == write.after]
    if not of_it:
        known = any(each.value == write.after for each in history.publications[write.listing])
        rule, told = ("shown.outdated", "not decided last") if known else ("shown.undecided", "never decided")
        values = [each.value for each in latest]
        verdict.find(rule, subject, write.at, f"{write.after} was written, and {told}: that was {values}")
        return
    decided_at, times = min(((each.decided_at, used[(write.listing, each.decided_at)]) for each in of_it), key=_least)
    used[(write.listing, decided_at)] += 1
    if times:
        told = f"{write.after}, decided at {decided_at}, had been written before"
        verdict.find("shown.repeated", subject, write.at, told)


def _least(candidate: tuple[datetime, int]) -> tuple[int, datetime]:
    """Of the same numbers, the one that was written least and decided first."""
    decided_at, times = candidate
    return times, decided_at


def _latest(made: Sequence[Publication], write: Change) -> Sequence[Publication]:
    """The last decision before a write was accepted, and those that may have been made just before or after."""
    surely = bisect_right(made, write.accepted_at - CLOCKS_APART, key=lambda each: each.decided_at)
    maybe = bisect_right(made, write.accepted_at + CLOCKS_APART, key=lambda each: each.decided_at)
    return made[max(0, surely - 1) : maybe]
