"""What a warehouse with an API was asked to send is there as we believe, and it sends nothing that we call off."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.book import Book
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
