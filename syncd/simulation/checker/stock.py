"""The book proves itself, and agrees with what is physically there and what buyers are owed."""

from __future__ import annotations

from collections import Counter
from typing import Final

from syncd.db.database import Transactor
from syncd.reconcile.audit import audit_async
from syncd.simulation.checker.book import Book
from syncd.simulation.checker.ledger import (
    nothing_is_promised_that_is_not_there,
    read_overdrawn,
    read_places,
    the_audit_sees_as_much,
    the_ledger_folds,
)
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict

NOWHERE_ELSE: Final = "a reservation stays where no other warehouse can send it from"


async def the_book_proves_itself(db: Transactor, truth: Truth, verdict: Verdict) -> None:
    """The ledger folds to the levels as this checker reads it, and the daemon's own audit finds no more and no less."""
    wrong = the_ledger_folds(await db.read(read_places), truth.at, verdict)
    nothing_is_promised_that_is_not_there(await db.read(read_overdrawn), truth.at, verdict)
    report = await audit_async(db)
    for each in report.violations:
        detail = f"{each.found}, not {each.expected}: {each.likely_cause}"
        verdict.find(f"audit.{each.rule}", str(each.subject), truth.at, detail)
    the_audit_sees_as_much(report, wrong, truth.at, verdict)


def open_demand_is_reserved_or_wanting(truth: Truth, book: Book, pieces: Pieces, verdict: Verdict) -> None:
    """What buyers are still owed, as the channels have it, is reserved piece by piece, or a shortage."""
    reserved = _summed(book, "reserved")
    for sku in sorted({*pieces.wanted, *reserved, *book.wanting}):
        owed, kept = pieces.wanted[sku], reserved[sku] + book.wanting[sku]
        if owed != kept:
            told = f"buyers are owed {owed}; {reserved[sku]} are reserved and {book.wanting[sku]} wanting"
            verdict.find("stock.demand", sku, truth.at, told)


def nothing_is_reserved_twice(truth: Truth, book: Book, pieces: Pieces, verdict: Verdict) -> None:
    """No more is reserved than stands there and is known to be missing."""
    reserved, short = _summed(book, "reserved"), _summed(book, "short")
    for sku, units in reserved.items():
        there = pieces.there[sku]
        if units - short[sku] > there:
            verdict.find("stock.reserved_twice", sku, truth.at, f"{units} reserved, {short[sku]} short, {there} there")


def shelves_hold_what_the_book_says(truth: Truth, book: Book, pieces: Pieces, verdict: Verdict) -> None:
    """What may be sold is what came in less what has left: over own warehouses, and at a 3PL as its sandbox counts.

    What broke stands there too, and is unavailable.
    """
    on_hand: Counter[str] = Counter()
    for (sku, warehouse), shelf in sorted(book.shelves.items()):
        if warehouse in pieces.own:
            on_hand[sku] += shelf.on_hand - shelf.unavailable
            if shelf.unavailable != pieces.broken[(sku, warehouse)]:
                told = f"{pieces.broken[(sku, warehouse)]} are broken, {shelf.unavailable} unavailable"
                verdict.find("stock.unavailable", f"{sku} in {warehouse}", truth.at, told)
    for sku in sorted({*on_hand, *pieces.left_own}):
        came_in = sum(pieces.came_in[(sku, warehouse)] for warehouse in pieces.own)
        there = came_in - pieces.left_own[sku]
        if on_hand[sku] != there:
            told = f"{came_in} came in and {pieces.left_own[sku]} left, the book says {on_hand[sku]}"
            verdict.find("stock.physical", sku, truth.at, told)
    for (warehouse, sku), there in sorted(truth.shelves.items()):
        known = book.shelves.get((sku, warehouse))
        if known is not None and known.on_hand != there:
            verdict.find("stock.physical", f"{sku} in {warehouse}", truth.at, f"{there}, the book says {known.on_hand}")


def shortages_are_what_is_missing(truth: Truth, book: Book, pieces: Pieces, verdict: Verdict) -> None:
    """What is wanting or short is what buyers are owed beyond what is there, or is there for other accounts alone."""
    short = _summed(book, "short")
    for sku in sorted({*pieces.wanted, *book.wanting, *short}):
        missing = max(0, pieces.wanted[sku] - pieces.there[sku])
        counted = book.wanting[sku] + short[sku]
        if counted > missing and sku in book.movable:
            told = f"{missing} are missing; {short[sku]} are short while another warehouse could send them"
            verdict.find("stock.missing", sku, truth.at, told)
        elif counted > missing and _none_can_be_made(book, sku):
            verdict.excuse("stock.missing", "a kit comes whole from one warehouse", f"{sku} at {truth.at}")
        elif missing < counted <= missing + short[sku]:
            # Under a reservation it broke or was counted wrongly, and no single warehouse has all of another unit.
            verdict.excuse("stock.missing", NOWHERE_ELSE, f"{sku} at {truth.at}")
        elif counted != missing and (pieces.one_pool or counted < missing):
            told = f"{missing} are missing; {book.wanting[sku]} are wanting and {short[sku]} short"
            verdict.find("stock.missing", sku, truth.at, told)


def _none_can_be_made(book: Book, sku: str) -> bool:
    """Whether no warehouse has all that a unit of any line is made of which lacks some. A plain one needs one piece."""
    units = book.units_wanting.get(sku, [])
    return bool(units) and not any(
        all(_available(book, part, warehouse) >= pieces for part, pieces in parts.items())
        for parts in units
        for warehouse, kind in book.warehouses.items()
        if kind != "fba"
    )


def _available(book: Book, sku: str, warehouse: str) -> int:
    shelf = book.shelves.get((sku, warehouse))
    return shelf.on_hand - shelf.unavailable - shelf.reserved if shelf is not None else 0


def _summed(book: Book, name: str) -> Counter[str]:
    """Pieces by SKU over all warehouses that serve orders of ours."""
    summed: Counter[str] = Counter()
    for (sku, warehouse), shelf in book.shelves.items():
        if book.warehouses[warehouse] != "fba":
            summed[sku] += getattr(shelf, name)
    return summed
