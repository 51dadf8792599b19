"""A listing's life by hand: what it showed, and what the daemon knew of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncd.simulation.checker.book import Book
from syncd.simulation.checker.history import Held, History, Publication
from syncd.simulation.checker.truth import Change, Listing, SoldLine, SoldOrder, Truth

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SHOP: Listing = ("main-shop", "gid://shopify/InventoryItem/1", "gid://shopify/Location/1")
AMAZON: Listing = ("amazon-us", "CLOCK", "DEFAULT")
EBAY: Listing = ("ebay-us", "CLOCK", "EBAY_US")
VENDORS = {"main-shop": "shopify", "amazon-us": "amazon", "ebay-us": "ebay"}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Life:
    """Changes are told in the order in which they happened; numbers go on from what was shown last."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.history = History(live_since=dict.fromkeys(VENDORS, NOON - timedelta(days=1)))
        self.orders: dict[tuple[str, str], SoldOrder] = {}
        self._shown: dict[Listing, int] = {}

    def opens(self, listing: Listing, quantity: int) -> None:
        self._change(listing, -3600.0, quantity, "opening")

    def sells(
        self,
        listing: Listing,
        seconds: float,
        order: str,
        units: int = 1,
        known: float | None = None,
        *,
        paid: bool = True,
    ) -> None:
        """`known`: when the book learnt of it."""
        self._change(listing, seconds, self._shown[listing] - units, "sale", order)
        line = SoldLine("1", "CLOCK", units, units, 0, by_channel=False)
        placed = at(seconds)
        self.orders[(listing[0], order)] = SoldOrder(listing[0], order, order, placed, placed, False, paid, (line,))
        if known is not None:
            self.history.applied[(listing[0], order)] = [at(known)]

    def gives_back(self, listing: Listing, seconds: float, order: str, units: int = 1) -> None:
        self._change(listing, seconds, self._shown[listing] + units, "cancellation", order)

    def is_typed(self, listing: Listing, seconds: float, quantity: int) -> None:
        self._change(listing, seconds, quantity, "hand")

    def is_decided(self, listing: Listing, seconds: float, value: int) -> str:
        """A number is to be written. Returns the key that is stored with it."""
        self.history.publications[listing].append(Publication(at(seconds), value, at(seconds - 1)))
        key = f"push-{len(self.history.pushes) + 1}"
        self.history.pushes[key] = at(seconds)
        return key

    def lands(self, listing: Listing, sent: float, applied: float, value: int, key: str = "") -> None:
        """A write takes effect; only one vendor tells its key."""
        ref = key if VENDORS[listing[0]] == "shopify" else ""
        self._change(listing, applied, value, "write", ref, accepted=sent)

    def is_written(self, listing: Listing, decided: float, applied: float, value: int) -> None:
        key = self.is_decided(listing, decided, value)
        self.lands(listing, decided + 0.2, applied, value, key)

    def holds(
        self,
        listing: Listing,
        seconds: float,
        since: float,
        until: float | None,
        *,
        ran_out: bool = False,
        units: int = 1,
        kind: str = "shortfall",
    ) -> None:
        expires = until if ran_out and until is not None else 86_400.0
        closed = None if until is None else at(until)
        left = units if ran_out or until is None else 0
        held = Held(at(since), at(seconds), at(seconds), closed, at(expires), left, units, kind)
        self.history.holds[listing].append(held)

    def truth(self) -> Truth:
        changes = tuple(sorted(self.changes, key=lambda change: (change.at, change.number)))
        skus = dict.fromkeys(self._shown, "CLOCK")
        return Truth(at(86_400), self.orders, self._shown, skus, changes, {}, ())

    def book(self) -> Book:
        return Book({key: number for number, key in enumerate(VENDORS, 1)}, VENDORS, {"east": "own"})

    def _change(
        self, listing: Listing, seconds: float, after: int, why: str, ref: str = "", accepted: float | None = None
    ) -> None:
        before = self._shown.get(listing, 0)
        self._shown[listing] = after
        accepted_at = at(seconds if accepted is None else accepted)
        number = len(self.changes) + 1
        self.changes.append(Change(listing, "CLOCK", number, at(seconds), before, after, why, ref, accepted_at))
