"""What came in and what was sold of every plain SKU, as it truly was, in the order of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from syncd.simulation.checker.history import History
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Change, Truth
from syncd.simulation.happenings import Arrival
from syncd.simulation.scene import Scene


@dataclass(frozen=True, slots=True)
class Sale:
    """Units that left a listing, in pieces of one SKU. `net` of them had not been given back by then."""

    change: Change
    pieces: int
    known_at: datetime | None  # as an order or as units held back
    booked_at: datetime | None  # as an order
    given_back: tuple[tuple[datetime, int], ...]

    def net(self, at: datetime) -> int:
        return self.pieces - sum(pieces for back_at, pieces in self.given_back if back_at <= at)

    def is_seen_at(self, at: datetime) -> bool:
        return self.known_at is not None and self.known_at <= at

    def is_booked_at(self, at: datetime) -> bool:
        return self.booked_at is not None and self.booked_at <= at


@dataclass(frozen=True, slots=True)
class Oversell:
    """A sale that took `units` more of a listing than could be made; `missing` pieces of a SKU were not there.

    `covered`: pieces that came in, while some were missing, since the oversell before it.
    """

    change: Change
    units: int
    sku: str
    missing: int
    covered: int = 0


@dataclass(slots=True)
class _Stream:
    """Everything that moved one SKU: steps of (instant, pieces that came or went), sales in their order."""

    steps: list[tuple[datetime, int, Change | None]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)


class Ledger:
    """Streams of pieces by SKU; goods at FBA are nobody's."""

    def __init__(self, scene: Scene, truth: Truth, pieces: Pieces, history: History) -> None:
        self.pieces = pieces
        self.back_orderable = frozenset(each.sku for each in scene.world.articles if each.back_orderable)
        self.streams: dict[str, _Stream] = defaultdict(_Stream)
        fba = {each.key for each in scene.world.warehouses("fba")}
        self._miscounts = scene.happenings.miscounts
        self._opening: Counter[str] = Counter()
        for (sku, warehouse), units in scene.world.stock.items():
            self._opening[sku] += 0 if warehouse in fba else units
        for arrival in scene.happenings.arrivals:
            if arrival.warehouse not in fba and not arrival.within:
                self.streams[arrival.sku].steps.append((arrival.at, arrival.pieces, None))
                self.streams[arrival.sku].arrivals.append(arrival)
        self._sell(truth, history)
        for stream in self.streams.values():
            stream.steps.sort(key=lambda step: step[0])

    def oversells(self) -> Iterator[Oversell]:
        """By SKU: a kit that lacks two of its parts is told twice."""
        for sku, stream in sorted(self.streams.items()):
            free, covered = self._opening[sku], 0
            for _, pieces, change in stream.steps:
                covered += min(max(0, pieces), max(0, -free))
                free += pieces
                if pieces < 0 and free < 0 and change is not None and change.sku not in self.back_orderable:
                    missing = min(-pieces, -free)
                    units = -(-missing // dict(self.pieces.parts[change.sku])[sku])
                    yield Oversell(change, units, sku, missing, covered)
                    covered = 0

    def known_free_at(self, sku: str, at: datetime) -> int:
        """Pieces left when only those sales count that the book knows of by then.

        What broke or had been counted too high was there when it was promised: who lacks it since is not oversold.
        """
        stream = self.streams[sku]
        came = sum(each.pieces for each in stream.arrivals if each.at <= at and each.pieces > 0)
        came += sum(each.pieces for each in self._miscounts if each.sku == sku and each.at <= at and each.pieces > 0)
        return self._opening[sku] + came - sum(sale.net(at) for sale in stream.sales if sale.is_booked_at(at))

    def surely_came(self, sku: str, is_booked: Callable[[Arrival], bool]) -> int:
        """Pieces that had come in and are booked, less all that ever broke or was counted too low."""
        came = sum(each.pieces for each in self.streams[sku].arrivals if each.pieces < 0 or is_booked(each))
        came += sum(each.pieces for each in self._miscounts if each.sku == sku and each.pieces < 0)
        return self._opening[sku] + came

    def free_before(self, sku: str, at: datetime) -> int:
        """Pieces that were truly left just before; below zero, what had been sold and was not there."""
        return self._opening[sku] + sum(pieces for step_at, pieces, _ in self.streams[sku].steps if step_at < at)

    def _sell(self, truth: Truth, history: History) -> None:
        backs: dict[tuple[str, str, str], list[tuple[datetime, int]]] = defaultdict(list)
        taken: Counter[tuple[str, str, str]] = Counter()
        for change in truth.changes:
            if change.why in ("opening", "write", "hand"):
                continue
            key = (change.listing[0], change.ref, change.sku)
            taken[key] += change.taken
            if change.taken < 0:
                backs[key].append((change.at, -change.taken))
            self._step(change.sku, change.at, -change.taken, change)
        for order in truth.orders.values():
            kept: Counter[str] = Counter()
            for line in order.lines:
                if line.sku is not None and not line.by_channel:
                    kept[line.sku] += 0 if order.cancelled else max(line.current, line.fulfilled)
            for article in {line.sku: None for line in order.lines if line.sku is not None and not line.by_channel}:
                key = (order.account, order.order_id, article)
                gone = taken[key] - kept[article]
                if gone > 0:  # cancelled and not put back on sale: the goods are free all the same
                    backs[key].append((order.updated_at, gone))
                    self._step(article, order.updated_at, gone, None)
        for change in truth.changes:
            if change.taken > 0 and change.why in ("sale", "edit"):
                back = tuple(backs[(change.listing[0], change.ref, change.sku)])
                booked_at = history.known_at(change)
                known_at = _earlier(booked_at, history.held_at(change))
                for sku, each in self.pieces.parts[change.sku]:
                    own = tuple((at, units * each) for at, units in back)
                    self.streams[sku].sales.append(Sale(change, change.taken * each, known_at, booked_at, own))

    def _step(self, article: str, at: datetime, units: int, change: Change | None) -> None:
        for sku, each in self.pieces.parts[article]:
            self.streams[sku].steps.append((at, units * each, change))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)
