"""What the book says that every listing may show is never more than is left; at rest, it is what the listing shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from syncd.db.tables import account, hold, level, listing, listing_component, shortage, sku, warehouse
from syncd.publishing.load import load_stock
from syncd.simulation.checker.book import Book
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.scene import Scene


def read_sellable(connection: Connection) -> dict[Listing, int]:
    """What the book says that each listing of ours to write may show."""
    keys = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
    ids = list(connection.execute(select(listing.c.id)).scalars())
    return {
        (keys[found.account_id], found.channel_sku, found.channel_location): found.number.quantity
        for found in load_stock(connection, ids).values()
        if found.unwritable is None
    }


@dataclass(frozen=True, slots=True)
class Promised:
    """The book at one instant: what each listing may show, what a unit of it is made of, and what is left by SKU.

    Left is what stands on shelves and is neither reserved, nor missing, nor held for a purchase that no order shows.
    """

    sellable: Mapping[Listing, int]
    made_of: Mapping[Listing, Mapping[str, int]]
    left: Mapping[str, int]
    held: Mapping[str, int]  # pieces, for purchases that no order shows


def read_promised(connection: Connection) -> Promised:
    accounts = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
    codes = {row.id: row.code for row in connection.execute(select(sku.c.id, sku.c.code))}
    listings: dict[int, Listing] = {
        row.id: (accounts[row.account_id], row.channel_sku, row.channel_location)
        for row in connection.execute(select(listing))
    }
    made_of: dict[Listing, dict[str, int]] = defaultdict(dict)
    for part in connection.execute(select(listing_component)):
        made_of[listings[part.listing_id]][codes[part.sku_id]] = part.units
    left: Counter[str] = Counter()
    at_hand = func.sum(level.c.on_hand - level.c.unavailable - level.c.reserved)
    there = select(level.c.sku_id, at_hand).join(warehouse, warehouse.c.id == level.c.warehouse_id)
    for sku_id, pieces in connection.execute(there.where(warehouse.c.kind != "fba").group_by(level.c.sku_id)):
        left[codes[sku_id]] += int(pieces)
    for row in connection.execute(select(shortage.c.sku_id, shortage.c.quantity).where(shortage.c.closed_at.is_(None))):
        left[codes[row.sku_id]] -= row.quantity
    held: Counter[str] = Counter()
    for each in connection.execute(select(hold.c.listing_id, hold.c.quantity).where(hold.c.closed_at.is_(None))):
        for code, units in made_of[listings[each.listing_id]].items():
            held[code] += each.quantity * units
    left.subtract(held)
    return Promised(read_sellable(connection), made_of, left, held)


def nothing_left_is_promised_twice(promised: Promised, at: datetime, verdict: Verdict) -> None:
    """No number is worked out that what is left could not make: a pack takes several pieces, held ones included."""
    for one, quantity in promised.sellable.items():
        for code, units in promised.made_of[one].items():
            left = promised.left.get(code, 0)
            if quantity * units > max(0, left):
                told = f"it may show {quantity} of {units} {code} each, and {left} are left"
                verdict.find("shown.promised", f"{one[0]} {one[1]}", at, told)


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


def nothing_is_hidden_for_nothing(
    scene: Scene, truth: Truth, promised: Promised, pieces: Pieces, verdict: Verdict
) -> None:
    """A listing of one piece a unit shows what nobody has bought, less what its account keeps back, up to its cap.

    Where an account may sell from every warehouse; elsewhere the truth does not tell which of them has what is free.
    """
    plans = {each.key: each for each in scene.world.channels}
    for one in promised.sellable:
        plan, parts = plans[one[0]], pieces.parts[truth.skus[one]]
        if not pieces.one_pool or len(parts) != 1 or parts[0][1] != 1:
            continue
        (code, _) = parts[0]
        free = pieces.there[code] - pieces.wanted[code] - promised.held[code] - plan.buffer
        wanted = max(0, free if plan.cap is None else min(free, plan.cap))
        if max(0, truth.shown[one]) < wanted:
            told = f"it shows {truth.shown[one]}, and {wanted} could be sold"
            verdict.find("shown.too_low", f"{one[0]} {truth.skus[one]}", truth.at, told)
