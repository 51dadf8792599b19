"""What a run came to, in numbers: from the daemon's book and the sandboxes' truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from syncd.db.tables import hold, listing
from syncd.insight.histogram import mean_s, quantile_s
from syncd.insight.store import read_lags, read_tallies
from syncd.reconcile.audit import audit
from syncd.simulation.happenings import Happenings
from syncd.simulation.oversells import Cause, Sale, oversells_by_cause, read_sales
from syncd.simulation.stage import Stage

Tallies = Mapping[tuple[str, str], int]
Lags = Mapping[tuple[int, str], Mapping[int, int]]
LagFigures = dict[str, dict[str, float | int | None]]

_IN = "orders_in."
_REJECTED = ("rejected", "parked_events", "webhooks_forged")
_USUAL_LAG_S = 300.0
"""Taken for the lag where none was measured."""


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """The figures of one channel; lags in the seller's seconds, `oversold_causes` in units."""

    orders_in: dict[str, int]  # by way
    orders_expected: int
    pushes: int
    numbers_written: int
    throttled: int
    lag_s: LagFigures
    oversold_units: int
    oversold_causes: dict[str, int]
    units_held: int  # hidden since the start, because a number dropped that no order explained
    units_held_now: int
    listings_differing: int
    down_s: float


@dataclass(slots=True)
class Summary:
    """The figures of one run; lags in the seller's seconds."""

    orders_in: dict[str, dict[str, int]]  # by account and way
    orders_expected: int
    units_reserved: dict[str, int]  # by warehouse
    pushes: int
    numbers_written: int
    lag_s: LagFigures
    oversold_units: int
    oversold_causes: dict[str, int]
    audit_violations: int
    listings_differing: int
    rejected_rows: dict[str, int]
    orders_per_s: float
    peak_rss_mib: float | None
    seed: int
    speed: float
    quiet: bool
    awaited: str = ""  # what still was on its way when the waiting ended
    restarts: int = 0
    channels: dict[str, ChannelFigures] = field(default_factory=dict)
    unpaid_purchases: int = 0
    hand_edits: int = 0
    differing: list[tuple[str, str, int, int]] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def orders_taken(self) -> int:
        return sum(sum(ways.values()) for ways in self.orders_in.values())

    @property
    def good(self) -> bool:
        """Whether the run ended as it must: everything in once, the book proved, every number right."""
        return (
            self.quiet
            and self.orders_taken == self.orders_expected
            and not self.audit_violations
            and not self.listings_differing
        )

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def summarise(
    stage: Stage,
    truth: dict[str, dict[str, Any]],
    found: list[tuple[str, str, int, int]],
    shopping_real_s: float,
    awaited: str,
) -> Summary:
    """Read the book and audit it. `found`: listings that differ; `awaited`: what has not come to rest."""
    book = stage.setup.db.read_now(_read_book)
    report = audit(stage.setup.db)
    causes = oversells_by_cause(book.sales, stage.happenings, _lag_to_shown_s(book.lags))
    channels = {
        key: _channel(key, stage.setup.ids.accounts[key], book, told, found, causes.get(key, {}), stage.happenings)
        for key, told in truth.items()
    }
    taken = sum(sum(each.orders_in.values()) for each in channels.values())
    return Summary(
        orders_in={key: each.orders_in for key, each in channels.items()},
        orders_expected=sum(each.orders_expected for each in channels.values()),
        units_reserved=_of_every(book.tallies, "units_reserved"),
        pushes=sum(each.pushes for each in channels.values()),
        numbers_written=sum(each.numbers_written for each in channels.values()),
        lag_s=lag_figures(book.lags),
        oversold_units=sum(each.oversold_units for each in channels.values()),
        oversold_causes=_added(each.oversold_causes for each in channels.values()),
        audit_violations=len(report.violations),
        listings_differing=len(found),
        rejected_rows=_added({name: n} for (_, name), n in book.tallies.items() if name in _REJECTED),
        orders_per_s=round(taken / shopping_real_s, 2) if shopping_real_s else 0.0,
        peak_rss_mib=max(stage.peaks_mib, default=None),
        seed=stage.world.seed,
        speed=stage.clock.speed,
        quiet=not awaited,
        awaited=awaited,
        restarts=stage.restarts,
        channels=channels,
        unpaid_purchases=len(stage.happenings.unpaid),
        hand_edits=len(stage.happenings.hand_edits),
        differing=found[:20],
        violations=[violation.to_json() for violation in report.violations[:20]],
    )


@dataclass(frozen=True, slots=True)
class _Book:
    tallies: Tallies
    lags: Lags
    sales: list[Sale]
    held: dict[int, int]  # units by account_id


def _read_book(connection: Connection) -> _Book:
    return _Book(read_tallies(connection), read_lags(connection), read_sales(connection), _held(connection))


def _held(connection: Connection) -> dict[int, int]:
    found = connection.execute(
        select(listing.c.account_id, func.sum(hold.c.quantity))
        .join(listing, listing.c.id == hold.c.listing_id)
        .where(hold.c.closed_at.is_(None))
        .group_by(listing.c.account_id)
    )
    return {account_id: int(units) for account_id, units in found}


def _channel(
    key: str,
    account_id: int,
    book: _Book,
    told: Mapping[str, Any],
    found: list[tuple[str, str, int, int]],
    causes: Mapping[Cause, int],
    happenings: Happenings,
) -> ChannelFigures:
    mine = {name: n for (scope, name), n in sorted(book.tallies.items()) if scope == f"account:{key}"}
    down = (each.to_at - each.from_at for each in happenings.outages if each.account == key)
    return ChannelFigures(
        orders_in={name.removeprefix(_IN): n for name, n in mine.items() if name.startswith(_IN)},
        orders_expected=int(told["orders_accepted"]),
        pushes=mine.get("pushes", 0),
        numbers_written=mine.get("numbers_written", 0),
        throttled=mine.get("throttled", 0),
        lag_s=lag_figures({at: buckets for at, buckets in book.lags.items() if at[0] == account_id}),
        oversold_units=mine.get("oversold_units", 0),
        oversold_causes={str(cause): units for cause, units in causes.items()},
        units_held=mine.get("units_held", 0),
        units_held_now=book.held.get(account_id, 0),
        listings_differing=sum(account == key for account, *_ in found),
        down_s=sum(down, timedelta()).total_seconds(),
    )


def _of_every(tallies: Tallies, name: str) -> dict[str, int]:
    """A tally by the key of its scope."""
    return {scope.partition(":")[2]: n for (scope, each), n in sorted(tallies.items()) if each == name}


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for each in counts:
        for name, n in each.items():
            added[name] = added.get(name, 0) + n
    return added


def _lag_to_shown_s(lags: Lags) -> float:
    """How long a sale may take until every channel shows it: the 95th percentile over all channels."""
    measured = lag_figures(lags).get("placed_to_shown", {}).get("p95")
    return _USUAL_LAG_S if measured is None else float(measured)


def lag_figures(lags: Lags) -> LagFigures:
    """Percentiles by kind of lag, over all accounts."""
    merged: dict[str, dict[int, int]] = {}
    for (_, kind), buckets in lags.items():
        for bucket, n in buckets.items():
            merged.setdefault(kind, {})
            merged[kind][bucket] = merged[kind].get(bucket, 0) + n
    return {
        kind: {
            "count": sum(buckets.values()),
            "mean": _rounded(mean_s(buckets)),
            "p50": _rounded(quantile_s(buckets, 0.5)),
            "p95": _rounded(quantile_s(buckets, 0.95)),
            "p99": _rounded(quantile_s(buckets, 0.99)),
        }
        for kind, buckets in sorted(merged.items())
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
