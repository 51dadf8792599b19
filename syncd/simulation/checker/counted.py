"""The daemon's own count of oversold units beside the truth: neither too few nor too many."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.bounds import REQUEST_S, SEEN_S, Bounds
from syncd.simulation.checker.sold import Ledger, Sale
from syncd.simulation.checker.verdict import Verdict

_ARRIVED_S: Final = 900.0
"""From the arrival of goods to the book."""


def oversold_units_are_counted(ledger: Ledger, book: Book, bounds: Bounds, verdict: Verdict) -> None:
    """The book counts no fewer pieces of a SKU as oversold than were missing at once, nor more than orders lacked.

    An order's units are counted when news of it is taken in, by what no shelf can give it then. So all that was missing
    at one instant, by the orders known then, had been counted. And it counts each order's own part of what was missing:
    never more than that comes to if goods that came and orders that were cancelled were heard of as late as may be.
    """
    counted: Counter[str] = Counter()
    for key, order in book.orders.items():
        for line in order.lines.values():
            verdict.figures[f"oversold.{key[0]}.counted"] += line.oversold
            counted.update({sku: line.oversold * pieces for sku, pieces in line.pieces.items()})
    known = _Known(ledger, book, bounds)
    for sku in sorted(ledger.streams):
        least, at = known.missing_at_once(sku)
        if at is not None and counted[sku] < least:
            verdict.find("oversold.uncounted", sku, at, f"{least} pieces were missing, {counted[sku]} are counted")
        if ledger.pieces.one_pool and known.is_plain(sku) and counted[sku] > (most := known.lacked_at_most(sku)):
            last = max(sale.change.at for sale in ledger.streams[sku].sales)
            verdict.find("oversold.overcounted", sku, last, f"{counted[sku]} pieces are counted, orders lacked {most}")


class _Known:
    """What was missing of a SKU by what the book knew: for certain, and at the most."""

    def __init__(self, ledger: Ledger, book: Book, bounds: Bounds) -> None:
        self._ledger = ledger
        self._channels = book.channels
        self._bounds = bounds

    def is_plain(self, sku: str) -> bool:
        """Whether nothing takes more than one piece: a pack may wait for pieces that no single warehouse has."""
        return all(parts == ((sku, 1),) for parts in self._ledger.pieces.parts.values() if sku in dict(parts))

    def missing_at_once(self, sku: str) -> tuple[int, datetime | None]:
        """The most pieces that were missing at one instant, and that instant."""
        booked = [sale for sale in self._ledger.streams[sku].sales if sale.booked_at is not None]
        if any(sale.change.sku in self._ledger.back_orderable for sale in booked):
            return 0, None
        most: tuple[int, datetime | None] = (0, None)
        for at in sorted({sale.booked_at for sale in booked if sale.booked_at is not None}):
            missing = -self._ledger.known_free_at(sku, at)
            if missing > most[0]:
                most = missing, at
        return most

    def lacked_at_most(self, sku: str) -> int:
        """Pieces that orders lacked when they were taken in, all orders together."""
        sales = sorted(
            ((sale.booked_at, sale) for sale in self._ledger.streams[sku].sales if sale.booked_at is not None),
            key=lambda each: each[0],
        )
        lacked = 0
        for index, (at, sale) in enumerate(sales):
            free = self._surely_came(sku, at) - sum(self._kept(each, at) for _, each in sales[: index + 1])
            lacked += min(sale.pieces, max(0, -free))
        return lacked

    def _surely_came(self, sku: str, at: datetime) -> int:
        return self._ledger.surely_came(
            sku, lambda arrival: self._bounds.due(arrival.at, _ARRIVED_S, arrival.warehouse) <= at
        )

    def _kept(self, sale: Sale, at: datetime) -> int:
        """Pieces that the book may still keep for an order."""
        account = sale.change.listing[0]
        within_s = SEEN_S[self._channels[account]] + REQUEST_S
        return sale.pieces - sum(
            pieces for back_at, pieces in sale.given_back if self._bounds.due(back_at, within_s, account) <= at
        )
