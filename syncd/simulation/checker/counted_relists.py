"""The daemon's own count of relisted units beside the truth: neither too few nor too many.

It counts units of a sale that a plain set may have met on its way and that the number still shows once their order is
known, whether the write raised the number or lowered it. A sale that shows in no order is never counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.clocks import Clocks
from syncd.simulation.checker.history import CLOCKS_APART, History
from syncd.simulation.checker.impossible import PLAIN_SET, READ_EVERY, READ_TAKES, SETTLES_WITHIN, STALENESS
from syncd.simulation.checker.relists import Relist
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict

_READ_BACK: Final = timedelta(seconds=120)
"""An order that opens a range has its number read."""


def relisted_units_are_counted(
    truth: Truth, book: Book, history: History, relists: Sequence[Relist], verdict: Verdict, clocks: Clocks
) -> None:
    """No fewer than were erased for certain, and no more than plain sets may have met.

    For certain: sold between a write's read and its landing, and nothing else happened there until its order was known.
    At the most: all that was sold from when the read may be stale, and what was sold soon after the write and looks
    erased since as many units came back or were typed; and what was sold while a write was open that never landed,
    where the sale itself has brought about its number. By a clock that stepped, neither can be said.
    """
    by_listing: dict[Listing, list[Change]] = defaultdict(list)
    for change in truth.changes:
        by_listing[change.listing].append(change)
    surely = Counter[str]()
    for each in relists:
        right = not clocks.may_be_wrong(each.write.at)
        if right and _is_sure(each, by_listing[each.write.listing], book, history):
            surely[each.write.listing[0]] += each.erased
    at_most = Counter[str]()
    for listing, changes in by_listing.items():
        vendor = book.channels[listing[0]]
        at_most[listing[0]] += _may_have_met(changes, vendor, history) + _look_landed(changes, vendor, history)
    for account in book.accounts:
        counted = book.tallies.get((f"account:{account}", "units_relisted"), 0)
        verdict.figures[f"relisted.{account}.counted"] = counted
        verdict.figures[f"relisted.{account}.surely"] = surely[account]
        verdict.figures[f"relisted.{account}.at_most"] = at_most[account]
        if counted < surely[account]:
            verdict.find("relist.uncounted", account, truth.at, f"{counted} counted, {surely[account]} were relisted")
        if counted > at_most[account] and not clocks.stepped:
            told = f"{counted} counted, and no more than {at_most[account]} can have been relisted"
            verdict.find("relist.overcounted", account, truth.at, told)


def _is_sure(relist: Relist, changes: Sequence[Change], book: Book, history: History) -> bool:
    """Whether the daemon cannot but have found it: a sale by itself, and nothing about it that looks like another.

    Its number is read once its order is known, before it is written again or once the write can land no more; but a
    number below all that it may show by then is written unread.
    """
    write, sale, known_at = relist.write, relist.sale, relist.known_at
    vendor = book.channels[write.listing[0]]
    decided_at = history.decided_at(write)
    if vendor not in PLAIN_SET or decided_at is None or known_at is None:
        return False
    if not decided_at + CLOCKS_APART < sale.at < write.at - CLOCKS_APART:
        return False
    after = next((each for each in changes if each.number > write.number and each.why == "write"), None)
    written_again_at = history.decided_at(after) if after is not None else None
    if written_again_at is not None and written_again_at <= max(known_at, write.at) + CLOCKS_APART:
        return False
    if after is not None and after.after < write.after - sale.taken:
        return False
    from_at = decided_at - READ_TAKES - STALENESS[vendor]
    to_at = max(known_at, write.at + SETTLES_WITHIN[vendor]) + _READ_BACK
    to_at = to_at if written_again_at is None else min(to_at, written_again_at)
    others = any(each not in (write, sale) and from_at <= each.at <= to_at for each in changes)
    ended = any(each.ran_out and each.is_open(from_at) for each in history.holds[write.listing])
    return not others and not ended


def _may_have_met(changes: Sequence[Change], vendor: str, history: History) -> int:
    """Units that the plain sets of a listing may have erased, by all that the daemon can know."""
    if vendor not in PLAIN_SET:
        return 0
    units = 0
    for write in changes:
        decided_at = history.decided_at(write) if write.why == "write" else None
        if decided_at is None or write.after <= 0:
            continue
        read_from, settled = (
            decided_at - READ_TAKES - STALENESS[vendor] - CLOCKS_APART,
            write.at + SETTLES_WITHIN[vendor],
        )
        unknown = [each for each in changes if _is_unknown(each, decided_at, history)]
        met = sum(each.taken for each in unknown if read_from <= each.at <= write.at)
        soon = sum(each.taken for each in unknown if write.at < each.at <= settled)
        risen = sum(
            -each.taken
            for each in changes
            if each.why != "write" and each.taken < 0 and write.at < each.at <= settled + READ_EVERY
        )
        units += min(write.after, met + min(soon, risen))
    return units


def _look_landed(changes: Sequence[Change], vendor: str, history: History) -> int:
    """Units whose sale has made the number of a write that came to nothing: by all that can be read, it has landed."""
    if vendor not in PLAIN_SET or not changes:
        return 0
    landed = {history.decided_at(each) for each in changes if each.why == "write"}
    return sum(
        sale.taken
        for made in history.publications[changes[0].listing]
        if made.decided_at not in landed and made.value > 0
        for sale in changes
        if sale.after == made.value
        and made.decided_at - CLOCKS_APART <= sale.at <= made.decided_at + READ_EVERY
        and _is_unknown(sale, made.decided_at, history)
    )


def _is_unknown(change: Change, at: datetime, history: History) -> bool:
    """Whether it is a sale that the book had not heard of."""
    if change.taken <= 0 or change.why not in ("sale", "edit"):
        return False
    known_at = history.known_at(change)
    return known_at is None or known_at > at
