"""Each line of an order is checked by itself, and so is each write: a kit and its loose part both take the last piece.

In real life: `if stock >= line.quantity` in a loop, and the subtraction after it. No single check is wrong, and
together they promise a piece twice. Of the three guards that would each refuse that (the demand summed over all lines,
the level in memory, the conditional write) none may be left, or the order fails instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from allocation import Plan
from syncd.orders.allocate import allocate
from syncd.orders.book import AccountView, LineBook, OrderBook
from syncd.stock.ledger import Cause, Ledger, LevelKey, MovementKind


def _one_by_one(
    lines: Sequence[LineBook], units: Sequence[int], book: OrderBook, account: AccountView, ledger: Ledger
) -> Plan:
    """Every line has all the stock to itself."""
    alone = [
        allocate(lines, [wanted if n == number else 0 for n, wanted in enumerate(units)], book, account, ledger)
        for number in range(len(lines))
    ]
    shares = tuple(share for plan in alone for share in plan.shares)
    return replace(alone[0], shares=shares, short=tuple(each for plan in alone for each in plan.short))


def _unguarded(ledger: Ledger, key: LevelKey, pieces: int, cause: Cause) -> None:
    ledger._truths.add(key)
    ledger._post(key, MovementKind.RESERVATION, cause, d_reserved=pieces)


@contextmanager
def planted() -> Iterator[None]:
    with mock.patch("syncd.orders.decide.allocate", _one_by_one), mock.patch.object(Ledger, "reserve", _unguarded):
        yield
