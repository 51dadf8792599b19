"""What a run came to, in numbers: from the daemon's book and the sandboxes' truth."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from syncd.insight.histogram import mean_s, quantile_s
from syncd.insight.store import read_lags, read_tallies
from syncd.reconcile.audit import audit
from syncd.simulation.stage import Stage, differing

_IN = "orders_in."


@dataclass(slots=True)
class Summary:
    """The figures of one run; lags in the seller's seconds."""

    orders_in: dict[str, dict[str, int]]  # by account and way
    orders_expected: int
    units_reserved: dict[str, int]  # by warehouse
    pushes: int
    numbers_written: int
    lag_s: dict[str, dict[str, float | int | None]]
    oversold_units: int
    audit_violations: int
    listings_differing: int
    rejected_rows: dict[str, int]
    orders_per_s: float
    peak_rss_mib: float | None
    seed: int
    speed: float
    quiet: bool
    restarts: int = 0
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


def summarise(stage: Stage, truth: dict[str, dict[str, Any]], shopping_real_s: float, *, quiet: bool) -> Summary:
    """Read the book, audit it, and compare every listing with the truth."""
    tallies, lags = stage.setup.db.read_now(_figures)
    report = audit(stage.setup.db)
    found = differing(stage, truth)
    orders_in: dict[str, dict[str, int]] = {}
    totals = {"pushes": 0, "numbers_written": 0, "oversold_units": 0}
    rejected: dict[str, int] = {}
    for (scope, name), n in sorted(tallies.items()):
        kind, _, key = scope.partition(":")
        if kind == "account" and name.startswith(_IN):
            orders_in.setdefault(key, {})[name.removeprefix(_IN)] = n
        elif kind == "account" and name in totals:
            totals[name] += n
        elif name in ("rejected", "parked_events", "webhooks_forged"):
            rejected[name] = rejected.get(name, 0) + n
    reserved = {scope.partition(":")[2]: n for (scope, name), n in sorted(tallies.items()) if name == "units_reserved"}
    taken = sum(sum(ways.values()) for ways in orders_in.values())
    return Summary(
        orders_in=orders_in,
        orders_expected=sum(int(told["orders_accepted"]) for told in truth.values()),
        units_reserved=reserved,
        pushes=totals["pushes"],
        numbers_written=totals["numbers_written"],
        lag_s=lag_figures(lags),
        oversold_units=totals["oversold_units"],
        audit_violations=len(report.violations),
        listings_differing=len(found),
        rejected_rows=rejected,
        orders_per_s=round(taken / shopping_real_s, 2) if shopping_real_s else 0.0,
        peak_rss_mib=max(stage.peaks_mib, default=None),
        seed=stage.world.seed,
        speed=stage.clock.speed,
        quiet=quiet,
        restarts=stage.restarts,
        differing=found[:20],
        violations=[violation.to_json() for violation in report.violations[:20]],
    )


def _figures(connection: Connection) -> tuple[dict[tuple[str, str], int], dict[tuple[int, str], dict[int, int]]]:
    return read_tallies(connection), read_lags(connection)


def lag_figures(lags: dict[tuple[int, str], dict[int, int]]) -> dict[str, dict[str, float | int | None]]:
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
