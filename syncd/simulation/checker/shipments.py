"""What a warehouse with an API was asked to send is there as we believe, and it sends nothing that we call off."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.book import Book, OrderKey
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict

_MAY_BE: Final = MappingProxyType(
    {
        "accepted": ("Processing", "Exception", "PartiallyFulfilled"),
        "shipped": ("Fulfilled", "PartiallyFulfilled"),
        "cancelled": ("Cancelled", None),
        "refused": ("Cancelled", None),
    }
)
"""What the warehouse says of a shipment, by what the book says at rest; None: it has never heard of it."""

_OVER: Final = ("shipped", "cancelled", "refused")
"""What has not left by then will not leave: it may be asked for again."""


def shipments_are_as_their_warehouse_has_them(truth: Truth, book: Book, verdict: Verdict) -> None:
    """At rest. What is still to be asked for is left to those who wait for it."""
    there = {each.reference: each for each in truth.shipments}
    for reference, each in there.items():
        if reference not in book.requests:
            told = f"it is {each.status} there, and the book has never asked for it"
            verdict.find("shipments.unknown", f"{each.warehouse} {reference}", truth.at, told)
    for reference, request in book.requests.items():
        if request.warehouse not in truth.docks or request.state not in _MAY_BE:
            continue
        status = there[reference].status if reference in there else None
        if status not in _MAY_BE[request.state]:
            told = f"the book says {request.state}, the warehouse {status or 'that it has none'}"
            verdict.find("shipments.state", f"{request.warehouse} {reference}", truth.at, told)


def nothing_is_sent_twice(truth: Truth, book: Book, pieces: Pieces, verdict: Verdict) -> None:
    """All that warehouses were asked to send for an order, and may still send, is at most what was bought."""
    sent: dict[OrderKey, Counter[str]] = defaultdict(Counter)
    for each in truth.shipments:
        if (request := book.requests.get(each.reference)) is not None:
            sent[request.order].update(each.shipped if request.state in _OVER else each.asked)
    for key, asked in sent.items():
        bought = _bought(truth, key, pieces)
        for sku, units in asked.items():
            if units > bought[sku]:
                told = f"{units} {sku} were asked for, and {bought[sku]} bought"
                verdict.find("shipments.too_many", f"{key[0]} {key[1]}", truth.at, told)


def _bought(truth: Truth, key: OrderKey, pieces: Pieces) -> Counter[str]:
    bought = Counter[str]()
    for line in truth.orders[key].lines if key in truth.orders else ():
        if line.sku is not None and not line.by_channel:
            bought.update(pieces.of(line.sku, max(line.quantity, line.current)))
    return bought
