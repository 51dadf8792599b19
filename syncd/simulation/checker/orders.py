"""Every order takes effect once, and is in the book as it is at its channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from syncd.simulation.checker.book import Book, BookLine, BookOrder
from syncd.simulation.checker.bounds import SEEN_S, Bounds
from syncd.simulation.checker.truth import SoldLine, SoldOrder, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings


def every_order_took_effect_once(truth: Truth, book: Book, bounds: Bounds, verdict: Verdict, *, rest: bool) -> None:
    """The channels' orders and the book's are the same; while things go wrong, those that had time to come in."""
    for key, order in truth.orders.items():
        told = order.paid or book.channels[order.account] != "ebay"  # which shows no purchase before it is paid
        if told and key not in book.orders and (rest or _is_due(order, book, truth.at, bounds)):
            verdict.find("orders.missing", _name(order), truth.at, f"placed at {order.placed_at}, not in the book")
    for key in book.orders:
        if key not in truth.orders:
            verdict.find("orders.invented", "/".join(key), truth.at, "no channel has it")
    for key in book.twice:
        verdict.find("orders.twice", "/".join(key), truth.at, "the book has it more than once")


def every_order_is_as_its_channel_has_it(
    truth: Truth, book: Book, bounds: Bounds, verdict: Verdict, *, rest: bool
) -> None:
    """Whether it is cancelled, what the buyer is still to get, and what has left."""
    for key, order in truth.orders.items():
        known = book.orders.get(key)
        if known is None or not (rest or _is_due(order, book, truth.at, bounds)):
            continue
        for difference in _differences(order, known):
            verdict.find("orders.state", _name(order), truth.at, difference)


def nothing_is_parked(truth: Truth, book: Book, happenings: Happenings, verdict: Verdict) -> None:
    """The sandboxes send nothing that cannot be read, but for what was made so on purpose."""
    for key, order in book.orders.items():
        for line_id, line in order.lines.items():
            if line.parked:
                verdict.find("orders.parked", f"{'/'.join(key)} line {line_id}", truth.at, line.parked)
    for (scope, name), n in book.tallies.items():
        poisoned = happenings.poisoned[scope.removeprefix("account:")]
        if name == "parked_events" and n > poisoned:
            verdict.find("orders.parked", scope, truth.at, f"{n} events could not be read, {poisoned} were made so")


def _differences(order: SoldOrder, known: BookOrder) -> Iterator[str]:
    if order.cancelled != (known.state == "cancelled"):
        yield f"cancelled is {order.cancelled}, and the book says {known.state}"
    for line in order.lines:
        found = known.lines.get(line.line_id)
        if found is None:
            if line.current:
                yield f"line {line.line_id} of {line.current} {line.sku} is not in the book"
        else:
            yield from _line_differences(order, line, found)


def _line_differences(order: SoldOrder, line: SoldLine, found: BookLine) -> Iterator[str]:
    owed = 0 if order.cancelled else max(0, line.current - line.fulfilled)
    known = max(0, found.quantity - found.fulfilled)
    if owed != known:
        yield f"line {line.line_id} of {line.sku}: the buyer is owed {owed}, the book says {known}"
    if found.fulfilled != line.fulfilled:
        yield f"line {line.line_id} of {line.sku}: {line.fulfilled} have left, the book says {found.fulfilled}"
    if found.by_channel != line.by_channel:
        yield f"line {line.line_id} of {line.sku}: by channel is {line.by_channel}, not {found.by_channel}"


def _is_due(order: SoldOrder, book: Book, now: datetime, bounds: Bounds) -> bool:
    return now > bounds.due(order.updated_at, SEEN_S[book.channels[order.account]], order.account)


def _name(order: SoldOrder) -> str:
    return f"{order.account}/{order.order_id}"
