"""The end of a run on the terminal: what it came to by channel, and whether it ended as it must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.simulation.lags import lag_table, lag_words
from syncd.simulation.summary import Summary


def summary_view(summary: Summary) -> RenderableType:
    """The end of a run: the figures, then the verdict."""
    verdict = [
        _line(summary.orders_taken == summary.orders_expected, "every order is in, exactly once"),
        _line(not summary.audit_violations, "the audit proves the book", summary.audit_violations),
        _line(not summary.listings_differing, "every listing shows its sellable quantity", summary.listings_differing),
    ]
    if not summary.quiet:
        verdict.append(_line(False, "everything came to rest", summary.awaited))
    parts: list[RenderableType] = [_channels(summary), Text(), _figures(summary), Text(), *verdict]
    return Panel(Group(*parts), title="Summary", title_align="left", width=80, padding=(1, 1))


def _channels(summary: Summary) -> Table:
    table = lag_table("orders\nin", "orders\nsold", "num-\nbers", "units\nhidden", "over-\nsold")
    for key, figures in summary.channels.items():
        table.add_row(
            key,
            "",
            _lag(figures.lag_s.get("placed_to_shown")),
            str(sum(figures.orders_in.values())),
            str(figures.orders_expected),
            str(figures.numbers_written),
            str(figures.units_held),
            Text(str(figures.oversold_units), style="bold red" if figures.oversold_units else "dim"),
        )
        for way, orders in figures.orders_in.items():
            lag = _lag(figures.lag_s.get(f"placed_to_book.{way}"))
            table.add_row(f"  {way}", lag, "", str(orders), style="dim")
    return table


def _figures(summary: Summary) -> Table:
    figures = Table(show_header=False, box=None, pad_edge=False)
    figures.add_column(style="dim")
    figures.add_column()
    for key, channel in summary.channels.items():
        for cause, units in channel.oversold_causes.items():
            figures.add_row(f"oversold, {key}", f"{units}: {cause}")
    figures.add_row("pushes", f"{summary.pushes} calls, {summary.numbers_written} numbers")
    figures.add_row("units reserved", ", ".join(f"{n} in {key}" for key, n in summary.units_reserved.items()) or "0")
    figures.add_row("unpaid purchases", f"{summary.unpaid_purchases}; numbers typed by hand {summary.hand_edits}")
    if held := _by_channel(summary, "units_held_now", "{} on {}"):
        figures.add_row("still held back", f"{held}: no order explains them yet")
    figures.add_row("told to wait", _by_channel(summary, "throttled", "{} times by {}") or "never")
    figures.add_row("down", _by_channel(summary, "down_s", "{:.0f} s {}") or "never")
    figures.add_row("rejected", ", ".join(f"{n} {why}" for why, n in summary.rejected_rows.items() if n) or "none")
    figures.add_row("orders per real second", f"{summary.orders_per_s:g}")
    figures.add_row("peak memory of the daemon", f"{summary.peak_rss_mib or 0:g} MiB")
    return figures


def _by_channel(summary: Summary, name: str, words: str) -> str:
    told = {key: getattr(figures, name) for key, figures in summary.channels.items()}
    return ", ".join(words.format(n, key) for key, n in told.items() if n)


def _lag(lag: Mapping[str, Any] | None) -> str:
    return "–" if lag is None else lag_words(lag["p50"], lag["p95"])


def _line(good: bool, what: str, wrong_with: object = None) -> Text:
    wrong = f"not true: {what}" + (f" ({wrong_with})" if wrong_with else "")
    return Text(f"✓ {what}", style="green") if good else Text(f"✗ {wrong}", style="bold red")
