"""Every figure of a trial by name and channel, and what several trials say of each together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.simulation.trial.figures import ChannelFigures
from syncd.simulation.trial.interval import Interval, interval_of
from syncd.simulation.trial.run import Outcome

ALL = ""
"""Stands for the channel where a figure is of the whole trial."""

Name = tuple[str, str]
"""(figure, channel); a figure of something told apart is `what: why`."""

_TOLD_APART = {"oversold_units": "oversold_causes", "cancelled_orders": "cancelled", "lost_sales": "lost"}


def numbers_of(outcome: Outcome) -> dict[Name, float]:
    """The figures of a trial that came to its end; what was not measured is not there."""
    figures = outcome.figures
    if figures is None:
        return {}
    numbers: dict[Name, float] = {}
    for key, channel in figures.channels.items():
        counted = _counts(channel)
        for name, number in counted.items():
            numbers[(name, key)] = number
            numbers[(name, ALL)] = numbers.get((name, ALL), 0.0) + number
        numbers |= {(name, key): seconds for name, seconds in _lags(channel).items() if seconds is not None}
    numbers |= {(f"event: {what}", ALL): float(n) for what, n in figures.events.items()}
    numbers |= {(f"power_cuts: {where}", ALL): float(n) for where, n in outcome.cuts.items()}
    numbers[("power_cuts", ALL)] = float(sum(outcome.cuts.values()))
    numbers[("daemon_starts", ALL)] = float(figures.daemon_starts)
    numbers |= {(f"lives_ended: {why}", ALL): float(n) for why, n in outcome.lives_ended.items()}
    numbers[("findings", ALL)] = float(len(outcome.findings))
    if outcome.quiet_after_s is not None:
        numbers[("quiet_after_s", ALL)] = outcome.quiet_after_s
    return numbers


def intervals_of(outcomes: Sequence[Outcome]) -> dict[Name, Interval]:
    """Each figure's mean and interval. What a trial did not count is 0 there; a lag it did not measure is left out."""
    trials = [numbers for numbers in map(numbers_of, outcomes) if numbers]
    names = dict.fromkeys(name for numbers in trials for name in numbers)
    found = {name: interval_of(_samples(trials, name)) for name in names}
    return {name: interval for name, interval in found.items() if interval is not None}


def _samples(trials: Sequence[Mapping[Name, float]], name: Name) -> list[float]:
    if name[0].endswith("_s"):
        return [numbers[name] for numbers in trials if name in numbers]
    return [numbers.get(name, 0.0) for numbers in trials]


def _counts(channel: ChannelFigures) -> dict[str, float]:
    counts: dict[str, float] = {
        "orders": channel.orders,
        "oversold_units": channel.oversold_units,
        "cancelled_orders": sum(channel.cancelled.values()),
        "lost_sales": sum(channel.lost.values()),
        "hidden_unit_hours": channel.hidden_unit_hours,
        "split_orders": channel.split_orders,
    }
    for name, reasons in _TOLD_APART.items():
        counts |= {f"{name}: {why}": n for why, n in getattr(channel, reasons).items()}
    return counts


def _lags(channel: ChannelFigures) -> dict[str, float | None]:
    return {
        "placed_to_book_p50_s": channel.placed_to_book.p50_s,
        "placed_to_book_p95_s": channel.placed_to_book.p95_s,
        "placed_to_shown_p50_s": channel.placed_to_shown.p50_s,
        "placed_to_shown_p95_s": channel.placed_to_shown.p95_s,
    }
