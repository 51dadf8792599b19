"""Metrics for Prometheus, from the same state that the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from syncd.insight.histogram import mean_s, upper_bound_s
from syncd.insight.status import COUNTED_TO, LEVELS_SUMMED_TO, AccountStatus, Lag, Status, age_s

BOUNDS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
STATES = ("observing", "live", "paused")

_TOTALS = {
    "orders_changed": "Changes to orders known already, applied.",
    "oversold_units": "Listing units sold that no stock covered.",
    "shipped_units": "Listing units booked as shipped.",
    "pushes": "Batched writes settled.",
    "numbers_written": "Listings' numbers written.",
    "stale": "Writes refused because the number was not the expected one.",
    "rejected": "Numbers refused for good.",
    "reads": "Listings' numbers read.",
    "units_held": "Units held back because a number dropped without an order.",
    "units_surplus": "Units by which somebody else raised a number.",
    "units_relisted": "Sold units that a plain set put on sale again.",
    "throttled": "Requests that the vendor told to wait.",
    "parked_events": "Events that could not be read.",
    "webhooks_forged": "Webhooks whose signature did not verify.",
}
_LAGS = {
    "placed_to_book": "From an order's placing to the book, in the seller's seconds; its sum is at most 10 % high.",
    "placed_to_shown": "From an order's placing to the lowered number, in the seller's seconds; sum at most 10 % high.",
}


def render_metrics(status: Status, version: str, started_at: datetime, accept: str) -> tuple[bytes, str]:
    """The metrics in the format that the scraper accepts, with its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(status, version, started_at))
    ProcessCollector(namespace="syncd", registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class StatusCollector(Collector):
    """One state as metric families."""

    def __init__(self, status: Status, version: str, started_at: datetime) -> None:
        self._status = status
        self._version = version
        self._started_at = started_at

    def collect(self) -> Iterator[Metric]:
        yield _gauge("build_info", "The running version.", ["version"], [([self._version], 1)])
        uptime_s = age_s(self._started_at, self._status.at)
        yield _gauge("uptime_seconds", "Since the start, in the seller's seconds.", [], [([], uptime_s)])
        yield from _account_gauges(self._status)
        yield from _account_counters(self._status.accounts)
        yield from _lags(self._status.accounts)
        yield from _warehouses(self._status)
        inbox = self._status.inbox
        rows = [([state], n) for state, n in (("new", inbox.new), ("hinted", inbox.hinted), ("parked", inbox.parked))]
        yield _gauge("inbox_rows", f"Inbox rows by state, up to {COUNTED_TO + 1}.", ["state"], rows)
        oldest_s = age_s(inbox.oldest_new_at, self._status.at) or 0.0
        yield _gauge("inbox_oldest_new_seconds", "Age of the oldest row not taken in.", [], [([], oldest_s)])
        yield _gauge("open_alerts", f"Open alerts, up to {COUNTED_TO + 1}.", [], [([], self._status.open_alerts)])


Samples = Sequence[tuple[Sequence[str], float | None]]


def _gauge(name: str, help_text: str, labels: Sequence[str], samples: Samples) -> GaugeMetricFamily:
    """A gauge; what is not known has no sample."""
    family = GaugeMetricFamily(f"syncd_{name}", help_text, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def _account_gauges(status: Status) -> Iterator[Metric]:
    accounts, at = status.accounts, status.at
    states = [([a.key, a.channel, state], float(a.state == state)) for a in accounts for state in STATES]
    yield _gauge("account_state", "1 for the state an account is in.", ["account", "channel", "state"], states)
    polled = [([a.key], age_s(a.polled_to, at)) for a in accounts]
    yield _gauge("poll_age_seconds", "Since the start of the last complete poll.", ["account"], polled)
    horizon = [([a.key], age_s(a.horizon_at, at)) for a in accounts]
    yield _gauge("horizon_age_seconds", "Since the last poll that is wholly in the book.", ["account"], horizon)
    due = [([a.key, "due"], a.backlog.due) for a in accounts]
    waiting = [([a.key, "waiting"], sum(a.backlog.waiting.values())) for a in accounts]
    yield _gauge(
        "dirty_listings", f"Listings to look at, up to {COUNTED_TO + 1}.", ["account", "state"], [*due, *waiting]
    )
    in_flight = [([a.key], a.pushes_in_flight) for a in accounts]
    yield _gauge("pushes_in_flight", "Writes sent and not settled.", ["account"], in_flight)
    yield _gauge("open_holds", "Open holds.", ["account"], [([a.key], a.open_holds) for a in accounts])
    yield _gauge("held_units", "Listing units held back now.", ["account"], [([a.key], a.held_units) for a in accounts])


def _account_counters(accounts: Sequence[AccountStatus]) -> Iterator[Metric]:
    family = CounterMetricFamily("syncd_orders_in", "Orders taken in, by the way they came.", labels=["account", "way"])
    for each in accounts:
        for way, n in each.orders_in.items():
            family.add_metric([each.key, way], n)
    yield family
    for name, help_text in _TOTALS.items():
        family = CounterMetricFamily(f"syncd_{name}", help_text, labels=["account"])
        for each in accounts:
            family.add_metric([each.key], each.totals[name])
        yield family


def _lags(accounts: Sequence[AccountStatus]) -> Iterator[Metric]:
    for name, help_text in _LAGS.items():
        by_way = name == "placed_to_book"
        labels = ["account", "way"] if by_way else ["account"]
        family = HistogramMetricFamily(f"syncd_{name}_seconds", help_text, labels=labels)
        for each in accounts:
            for kind, lag in each.lags.items():
                base, _, way = kind.partition(".")
                if base == name:
                    buckets = cumulative(lag.buckets)
                    family.add_metric([each.key, way] if by_way else [each.key], buckets, _sum_s(lag))
        yield family


def cumulative(buckets: Mapping[int, int]) -> list[tuple[str, float]]:
    """Samples up to each of BOUNDS_S. One whose bucket crosses a bound counts above it: lags are never flattered."""
    shares = [
        (str(bound), float(sum(n for b, n in buckets.items() if upper_bound_s(b) <= bound))) for bound in BOUNDS_S
    ]
    return [*shares, ("+Inf", float(sum(buckets.values())))]


def _sum_s(lag: Lag) -> float:
    return (mean_s(lag.buckets) or 0.0) * lag.count


def _warehouses(status: Status) -> Iterator[Metric]:
    family = CounterMetricFamily("syncd_units_reserved", "Pieces reserved for orders.", labels=["warehouse"])
    for each in status.warehouses:
        family.add_metric([each.key], each.units_reserved)
    yield family
    samples = [
        ([each.key, name], float(n))
        for each in status.warehouses
        if (stock := each.stock) is not None
        for name, n in (
            ("on_hand", stock.on_hand),
            ("unavailable", stock.unavailable),
            ("reserved", stock.reserved),
            ("short", stock.short),
        )
    ]
    yield _gauge("stock_units", f"Pieces; left out above {LEVELS_SUMMED_TO} levels.", ["warehouse", "kind"], samples)
