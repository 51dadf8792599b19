"""At rest every listing shows what can be sold: what the book makes of it, and never more than is truly there."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from syncd.db.tables import account, listing
from syncd.publishing.load import load_stock
from syncd.simulation.checker.book import Book
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Listing, Truth
from syncd.simulation.checker.verdict import Verdict


def read_sellable(connection: Connection) -> dict[Listing, int]:
    """What the book says that each listing of ours to write may show."""
    keys = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
    ids = list(connection.execute(select(listing.c.id)).scalars())
    return {
        (keys[found.account_id], found.channel_sku, found.channel_location): found.number.quantity
        for found in load_stock(connection, ids).values()
        if found.unwritable is None
    }


def too_high(truth: Truth, sellable: Mapping[Listing, int], book: Book) -> frozenset[int]:
    """The listings that show more just now than the book says they may, by id."""
    return frozenset(book.listings[one] for one, quantity in sellable.items() if truth.shown[one] > quantity)


def numbers_are_right(truth: Truth, sellable: Mapping[Listing, int], pieces: Pieces, verdict: Verdict) -> None:
    """A number below zero is never raised to zero, so it counts as zero."""
    for one, quantity in sellable.items():
        subject, shown = f"{one[0]} {truth.skus[one]}", max(0, truth.shown[one])
        if shown != quantity:
            verdict.find("shown.sellable", subject, truth.at, f"it shows {truth.shown[one]}, sellable is {quantity}")
        if shown > max(0, free := pieces.free(truth.skus[one])):
            verdict.find("shown.too_high", subject, truth.at, f"it shows {shown}, and {free} are free")
