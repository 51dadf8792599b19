"""What a trial cost the seller, in figures: from the book, the sandboxes' truth, and what truly happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from syncd.db.tables import account, order_line, reservation, sales_order, warehouse
from syncd.insight.histogram import quantile_s
from syncd.insight.store import read_lags, read_tallies
from syncd.simulation.happenings import CLOCK_STEPPED, Happenings, Purchase
from syncd.simulation.oversells import Sale, oversells_by_cause, read_sales
from syncd.simulation.scene import truths
from syncd.simulation.trial.hidden import hidden_unit_hours
from syncd.simulation.trial.lab import Lab
from syncd.simulation.trial.people import People
from syncd.simulation.world import World

_USUAL_LAG_S = 300.0
"""Taken for the lag where none was measured."""

Buckets = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Lag:
    """The seller's seconds; None where nothing was measured."""

    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One account's; counts of orders unless the name says units."""

    orders: int
    oversold_units: int
    oversold_causes: dict[str, int]
    cancelled: dict[str, int]  # by reason
    lost: dict[str, int]  # shoppers who were refused, by what was true
    hidden_unit_hours: float
    split_orders: int
    placed_to_book: Lag
    placed_to_shown: Lag


@dataclass(frozen=True, slots=True)
class Figures:
    """`events`: how often everything that the world can do was done."""

    channels: dict[str, ChannelFigures]
    events: dict[str, int]
    daemon_starts: int = 0

    def total(self, name: str) -> float:
        """A figure added over all channels."""
        return float(sum(getattr(each, name) for each in self.channels.values()))

    def totals(self, name: str) -> dict[str, int]:
        """A figure that is told apart by reasons, added over all channels."""
        added: Counter[str] = Counter()
        for each in self.channels.values():
            added.update(getattr(each, name))
        return dict(sorted(added.items()))


@dataclass(frozen=True, slots=True)
class Book:
    """What the daemon's database says, by account key."""

    sales: list[Sale]
    oversold_units: dict[str, int]
    split_orders: dict[str, int]
    to_book: dict[str, dict[int, int]]
    to_shown: dict[str, dict[int, int]]


async def take_figures(lab: Lab, people: People) -> Figures:
    """The figures of a trial that has come to rest."""
    book = await lab.setup.db.read(read_book)
    truth = await truths(lab)
    closed_at = people.closed_at or lab.clock.now()
    hidden = {
        key: hidden_unit_hours(
            key, lab.world, people.stock, lab.sandboxes[key].shown_log, told["levels"], people.opened_at, closed_at
        )
        for key, told in truth.items()
    }
    causes = oversells_by_cause(book.sales, lab.happenings, _p95_s(book.to_shown.values()) or _USUAL_LAG_S)
    channels = {
        key: ChannelFigures(
            orders=int(told["orders_accepted"]),
            oversold_units=book.oversold_units.get(key, 0),
            oversold_causes={str(cause): units for cause, units in causes.get(key, {}).items()},
            cancelled=cancelled_by_reason(_of(lab.happenings, key)),
            lost=lost_by_truth(_of(lab.happenings, key)),
            hidden_unit_hours=round(hidden[key], 3),
            split_orders=book.split_orders.get(key, 0),
            placed_to_book=_lag(book.to_book.get(key, {})),
            placed_to_shown=_lag(book.to_shown.get(key, {})),
        )
        for key, told in truth.items()
    }
    return Figures(channels, count_events(lab.happenings, lab.world, closed_at), lab.supervisor.starts)


def cancelled_by_reason(purchases: Sequence[Purchase]) -> dict[str, int]:
    """Orders and purchases that ended before anything was sent."""
    return _counted(_why_cancelled(each) for each in purchases if each.cancelled_at is not None)


def lost_by_truth(purchases: Sequence[Purchase]) -> dict[str, int]:
    """Shoppers who found it sold out: whether it truly was."""
    return _counted(_why_lost(each) for each in purchases if each.name is None)


def count_events(happenings: Happenings, world: World, closed_at: datetime) -> dict[str, int]:
    """How often each kind of thing happened while the shop was open."""
    vendors = {channel.key: channel.vendor for channel in world.channels}
    taken = [each for each in happenings.purchases if each.name is not None]
    unpaid = Counter(vendors[each.account] for each in taken if each.unpaid)
    return {
        "purchases": len(happenings.purchases),
        "bursts": happenings.bursts,
        "orders edited": sum(each.edits > 0 for each in taken),
        "orders refunded after shipping": sum(each.refunded > 0 for each in taken),
        "eBay purchases not paid at once": unpaid["ebay"],
        "Amazon orders pending at first": unpaid["amazon"],
        "orders shipped by Amazon": sum(each.by_channel for each in taken),
        "numbers typed by hand": len(happenings.hand_edits),
        "deliveries": len(
            {(each.warehouse, each.at) for each in happenings.arrivals if each.pieces > 0 and not each.within}
        ),
        "goods entered by hand": happenings.entered,
        "shelves counted wrongly": len(happenings.miscounts),
        "goods found broken": sum(not each.lost for each in happenings.damages),
        "steps of the daemon's clock": sum(each.kind == CLOCK_STEPPED for each in happenings.spells),
        "outages": sum(each.from_at <= closed_at for each in happenings.outages),
    }


def _why_cancelled(purchase: Purchase) -> str:
    if purchase.out_of_stock:
        return "out of stock"
    return "never paid" if purchase.unpaid and purchase.paid_at is None else "by the buyer"


def _why_lost(purchase: Purchase) -> str:
    if purchase.by_channel:
        return "sold out at FBA"
    return "though free" if purchase.free else "truly sold out"


def _of(happenings: Happenings, key: str) -> list[Purchase]:
    return [each for each in happenings.purchases if each.account == key]


def _counted(reasons: Any) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))


def read_book(connection: Connection) -> Book:
    """Everything of the database that figures are made of."""
    keys = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
    to_book: dict[str, dict[int, int]] = {}
    to_shown: dict[str, dict[int, int]] = {}
    for (account_id, kind), buckets in sorted(read_lags(connection).items()):
        known = to_shown if kind == "placed_to_shown" else to_book if kind.startswith("placed_to_book.") else None
        if known is not None:
            _add(known.setdefault(keys[account_id], {}), buckets)
    tallies = read_tallies(connection)
    oversold = {key: tallies.get((f"account:{key}", "oversold_units"), 0) for key in keys.values()}
    return Book(read_sales(connection), oversold, _split_orders(connection), to_book, to_shown)


def _split_orders(connection: Connection) -> dict[str, int]:
    """Orders whose units come from more than one warehouse, by account."""
    places = (
        select(sales_order.c.id, account.c.key, func.count(reservation.c.warehouse_id.distinct()).label("places"))
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(reservation, reservation.c.order_line_id == order_line.c.id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(reservation.c.quantity > 0)
        .group_by(sales_order.c.id, account.c.key)
        .subquery()
    )
    found = connection.execute(
        select(places.c.key, func.count().label("orders")).where(places.c.places > 1).group_by(places.c.key)
    )
    return {row.key: row.orders for row in found}


def _add(buckets: dict[int, int], more: Buckets) -> None:
    for bucket, n in more.items():
        buckets[bucket] = buckets.get(bucket, 0) + n


def _p95_s(histograms: Any) -> float | None:
    merged: dict[int, int] = {}
    for each in histograms:
        _add(merged, each)
    return quantile_s(merged, 0.95)


def _lag(buckets: Buckets) -> Lag:
    return Lag(_rounded(quantile_s(buckets, 0.5)), _rounded(quantile_s(buckets, 0.95)))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
