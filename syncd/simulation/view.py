"""The demo on the terminal: live while it runs, and what it came to at the end."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.insight.histogram import quantile_s
from syncd.simulation.summary import Summary, lag_figures

Tallies = dict[tuple[str, str], int]
Lags = dict[tuple[int, str], dict[int, int]]


def live_view(
    headline: str,
    address: str,
    accounts: dict[str, int],
    states: dict[int, str],
    tallies: Tallies,
    lags: Lags,
    open_alerts: int,
) -> RenderableType:
    """What the operator sees while shoppers buy; fits 80 columns."""
    foot = Text.assemble(
        ("status page ", "dim"),
        (f"{address}/status", "underline"),
        ("   open alerts ", "dim"),
        (str(open_alerts), "yellow" if open_alerts else "dim"),
    )
    parts = (_shops(accounts, states, tallies, lags), Text(), _reserved(tallies), Text(), foot)
    return Panel(Group(*parts), title=headline, title_align="left", width=80, padding=(1, 1))


def _shops(accounts: dict[str, int], states: dict[int, str], tallies: Tallies, lags: Lags) -> Table:
    shops = Table(box=None, expand=True, pad_edge=False)
    shops.add_column("shop")
    shops.add_column("orders in\nwebhook + poll", justify="right")
    shops.add_column("numbers\npushed", justify="right")
    shops.add_column("order to book\np50 / p95", justify="right")
    shops.add_column("order to shown\np50 / p95", justify="right")
    shops.add_column("over-\nsold", justify="right")
    for key, account_id in accounts.items():
        scope = f"account:{key}"
        oversold = tallies.get((scope, "oversold_units"), 0)
        state = states.get(account_id, "?")
        webhook, poll = (tallies.get((scope, f"orders_in.{way}"), 0) for way in ("webhook", "poll"))
        shops.add_row(
            Text.assemble(("● ", "green" if state == "live" else "yellow"), key),
            f"{webhook + poll}  ({webhook} + {poll})",
            f"{tallies.get((scope, 'numbers_written'), 0)}",
            _lags(_merged(lags, account_id, "placed_to_book.")),
            _lags(lags.get((account_id, "placed_to_shown"), {})),
            Text(str(oversold), style="bold red" if oversold else "dim"),
        )
    return shops


def _reserved(tallies: Tallies) -> Text:
    reserved = [
        f"{scope.partition(':')[2]} [bold]{n}[/]"
        for (scope, name), n in sorted(tallies.items())
        if name == "units_reserved"
    ]
    return Text.from_markup("units reserved   " + ("   ".join(reserved) or "none yet"))


def _lags(buckets: dict[int, int]) -> str:
    return f"{_seconds(quantile_s(buckets, 0.5))} / {_seconds(quantile_s(buckets, 0.95))}"


def _merged(lags: Lags, account_id: int, prefix: str) -> dict[int, int]:
    merged: dict[int, int] = {}
    for (owner, kind), buckets in lags.items():
        if owner == account_id and kind.startswith(prefix):
            for bucket, n in buckets.items():
                merged[bucket] = merged.get(bucket, 0) + n
    return merged


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def summary_view(summary: Summary) -> RenderableType:
    """The end of a run: the figures, then the verdict."""
    figures = Table(show_header=False, box=None, pad_edge=False)
    figures.add_column(style="dim")
    figures.add_column()
    for key, ways in summary.orders_in.items():
        figures.add_row(f"orders in, {key}", ", ".join(f"{n} by {way}" for way, n in ways.items()))
    figures.add_row("orders accepted by the shops", str(summary.orders_expected))
    figures.add_row("units reserved", ", ".join(f"{n} in {key}" for key, n in summary.units_reserved.items()) or "0")
    figures.add_row("pushes", f"{summary.pushes} calls, {summary.numbers_written} numbers")
    for kind, lag in summary.lag_s.items():
        figures.add_row(f"lag {kind.replace('_', ' ')}", _lag(lag))
    figures.add_row("oversold units", str(summary.oversold_units))
    figures.add_row("rejected", ", ".join(f"{n} {why}" for why, n in summary.rejected_rows.items() if n) or "none")
    figures.add_row("orders per real second", f"{summary.orders_per_s:g}")
    figures.add_row("peak memory of the daemon", f"{summary.peak_rss_mib or 0:g} MiB")
    verdict: list[RenderableType] = [figures, Text()]
    verdict.append(_line(summary.orders_taken == summary.orders_expected, "every order is in, exactly once"))
    verdict.append(_line(not summary.audit_violations, "the audit proves the book", summary.audit_violations))
    verdict.append(
        _line(not summary.listings_differing, "every listing shows its sellable quantity", summary.listings_differing)
    )
    if not summary.quiet:
        verdict.append(_line(False, "everything came to rest"))
    return Panel(Group(*verdict), title="Summary", title_align="left", width=80, padding=(1, 1))


def _lag(lag: dict[str, Any]) -> str:
    return f"p50 {_seconds(lag['p50'])}, p95 {_seconds(lag['p95'])}, p99 {_seconds(lag['p99'])} of {lag['count']}"


def _line(good: bool, what: str, count: int = 0) -> Text:
    wrong = f"not true: {what}" + (f" ({count})" if count else "")
    return Text(f"✓ {what}", style="green") if good else Text(f"✗ {wrong}", style="bold red")


__all__ = ["lag_figures", "live_view", "summary_view"]
