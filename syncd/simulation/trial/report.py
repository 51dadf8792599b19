"""What trials came to, for people: figures by channel, then what happened, then what is excused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from syncd.simulation.trial.interval import Interval
from syncd.simulation.trial.numbers import ALL, Name, intervals_of
from syncd.simulation.trial.run import Outcome

_ROWS = (
    ("orders", "orders"),
    ("oversold_units", "oversold units"),
    ("cancelled_orders", "cancelled orders"),
    ("lost_sales", "shoppers sent away"),
    ("hidden_unit_hours", "hidden, unit-hours"),
    ("split_orders", "orders in several parcels"),
)
_LAGS = (("placed_to_book", "placed to book, s"), ("placed_to_shown", "placed to shown, s"))
_DASH = "–"


def report_of(outcomes: Sequence[Outcome]) -> RenderableType:
    """The tables; over several seeds each figure is a mean with its 95 % confidence interval."""
    intervals = intervals_of(outcomes)
    channels = [channel.key for channel in outcomes[0].plan.cast.channels]
    parts: list[RenderableType] = [_title(outcomes), _figures(intervals, channels), Text(), _happened(intervals)]
    excused = _excused(outcomes)
    if excused:
        parts += [Text(), Text("not held against it, by rule and reason:", style="dim"), *excused]
    return Group(*parts)


def _title(outcomes: Sequence[Outcome]) -> Text:
    plan, n = outcomes[0].plan, len(outcomes)
    what = f"seed {plan.seed}" if n == 1 else f"{n} seeds, mean ± 95 % confidence"
    return Text(f"{plan.days:g} days, {what}", style="bold")


def _figures(intervals: Mapping[Name, Interval], channels: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for heading in ("all", *channels):
        table.add_column(heading, justify="right")
    for name, words in _ROWS:
        table.add_row(words, *(_words(intervals.get((name, key)), "0") for key in (ALL, *channels)))
        for why in _reasons(intervals, name):
            cells = (_words(intervals.get((f"{name}: {why}", key)), "0") for key in (ALL, *channels))
            table.add_row(f"  {why}", *cells, style="dim")
    for name, words in _LAGS:
        table.add_row(f"{words}, p50", "", *(_words(intervals.get((f"{name}_p50_s", key))) for key in channels))
        table.add_row(f"{words}, p95", "", *(_words(intervals.get((f"{name}_p95_s", key))) for key in channels))
    return table


def _happened(intervals: Mapping[Name, Interval]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for what in _reasons(intervals, "event"):
        table.add_row(what, _words(intervals[(f"event: {what}", ALL)]))
    table.add_row("power cuts", _words(intervals.get(("power_cuts", ALL)), "0"))
    for where in _reasons(intervals, "power_cuts"):
        table.add_row(f"  {where}", _words(intervals[(f"power_cuts: {where}", ALL)]))
    table.add_row("starts of the daemon", _words(intervals.get(("daemon_starts", ALL))))
    for why in _reasons(intervals, "lives_ended"):
        table.add_row(f"  ended: {why}", _words(intervals[(f"lives_ended: {why}", ALL)]))
    table.add_row("at rest after, s", _words(intervals.get(("quiet_after_s", ALL)), "never"))
    table.add_row("findings", _words(intervals.get(("findings", ALL)), "0"))
    return table


def _excused(outcomes: Sequence[Outcome]) -> list[Text]:
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        for each in outcome.excused:
            counts[(each.rule, each.reason)] += each.count
    return [Text(f"  {n} x {rule}: {reason}") for (rule, reason), n in sorted(counts.items())]


def _reasons(intervals: Mapping[Name, Interval], name: str) -> list[str]:
    start = f"{name}: "
    return sorted({what.removeprefix(start) for what, _ in intervals if what.startswith(start)})


def _words(interval: Interval | None, without: str = _DASH) -> str:
    if interval is None:
        return without
    if interval.half_width is None:
        return _short(interval.mean)
    return f"{_short(interval.mean)} ± {_short(interval.half_width)}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number == int(number) or abs(number) >= 100 else f"{number:.1f}"
