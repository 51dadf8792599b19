"""The few numbers that a glance is for, and a lag's histogram as bars. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from syncd.insight.histogram import upper_bound_s
from syncd.insight.status import Lag, Status, age_s
from syncd.web.page_format import counted, duration, lag_of, number


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the few numbers at the top of the page."""

    label: str
    value: str
    note: str
    alarming: bool = False


def figures(status: Status) -> tuple[Figure, ...]:
    """The numbers over all accounts."""
    accounts = status.accounts
    ways: Counter[str] = Counter()
    shown: Counter[int] = Counter()
    for each in accounts:
        ways.update(each.orders_in)
        shown.update(each.lags["placed_to_shown"].buckets if "placed_to_shown" in each.lags else {})
    oversold = sum(each.totals["oversold_units"] for each in accounts)
    due = [each.backlog.due for each in accounts]
    waiting = [sum(each.backlog.waiting.values()) for each in accounts]
    return (
        Figure("Orders taken in", number(ways.total()), _by_way(ways)),
        Figure("Sale to shown", lag_of(Lag(shown).quantile_s(0.5)), _shown_note(Lag(shown))),
        Figure("Numbers to write", counted(*due), f"{counted(*waiting)} more wait" if any(waiting) else "none waits"),
        Figure("Inbox", counted(status.inbox.new), _inbox_note(status)),
        Figure("Oversold, ever", number(oversold), "units that no stock covered", alarming=oversold > 0),
    )


def _by_way(ways: Mapping[str, int]) -> str:
    return ", ".join(f"{number(n)} by {way}" for way, n in ways.items() if n) or "none yet"


def _shown_note(lag: Lag) -> str:
    return f"half within this; 95 % within {lag_of(lag.quantile_s(0.95))}" if lag.count else "not measured yet"


def _inbox_note(status: Status) -> str:
    age = age_s(status.inbox.oldest_new_at, status.at)
    waits = f"oldest waits {duration(age)}" if age is not None else "nothing waits"
    return f"{waits}; {counted(status.inbox.parked)} parked" if status.inbox.parked else waits


@dataclass(frozen=True, slots=True)
class Bars:
    """A lag's histogram: (x, height) of each bar in hundredths of the picture, and its two ends in words."""

    lag: Lag
    bars: tuple[tuple[float, float], ...]
    width: float
    least: str
    most: str


_BARS = 24


def lag_bars(lag: Lag) -> Bars:
    """The histogram on a logarithmic axis, from its fastest sample to its slowest."""
    low, high = min(lag.buckets), max(lag.buckets)
    step = max(1, -(-(high - low + 1) // _BARS))
    sums: Counter[int] = Counter()
    for bucket, n in lag.buckets.items():
        sums[(bucket - low) // step] += n
    columns = max(sums) + 1
    width = 100 / columns
    tallest = max(sums.values())
    bars = tuple((round(i * width, 2), round(max(3.0, 100 * n / tallest), 1)) for i, n in sorted(sums.items()))
    return Bars(lag, bars, round(width * 0.8, 2), lag_of(upper_bound_s(low)), lag_of(upper_bound_s(high)))
