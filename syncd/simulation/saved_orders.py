"""What shoppers wanted in a trial, as a file of orders that another trial can be run with."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from syncd.simulation.happenings import Purchase
from syncd.simulation.orders_file import OPTIONAL, REQUIRED


def write_orders(path: Path, purchases: Iterable[Purchase]) -> tuple[int, int]:
    """Write what shoppers wanted, whether they got it or not. Returns (orders written, left out).

    What a channel ships from stock of its own is left out: no other stock could answer it.
    """
    written, left_out = 0, 0
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*REQUIRED, *OPTIONAL])
        for purchase in purchases:
            if purchase.by_channel:
                left_out += 1
                continue
            written += 1
            out.writerows(_cells(purchase, written))
    return written, left_out


def _cells(purchase: Purchase, number: int) -> Iterable[list[object]]:
    address, cancelled_at = purchase.ship_to, purchase.cancelled_at
    if purchase.out_of_stock:  # the seller's doing, not the buyer's
        cancelled_at = None
    for sku, quantity in purchase.wanted.items():
        yield [
            purchase.at.isoformat(),
            purchase.account,
            number,
            sku,
            quantity,
            address.get("country", ""),
            address.get("zip", ""),
            address.get("city", ""),
            "yes" if purchase.unpaid else "no",
            cancelled_at.isoformat() if cancelled_at else "",
        ]
