"""What a replay came to: every line accounted for, the checks, and the figures."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.csv_rows import in_chunks
from syncd.insight.store import read_lags, read_tallies
from syncd.reconcile.audit import audit
from syncd.simulation.lags import lag_words
from syncd.simulation.oversells import oversells_by_cause, oversold_skus, read_sales
from syncd.simulation.replay.load import Loaded
from syncd.simulation.replay.play import Played
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.rest import wrong_orders
from syncd.simulation.replay.scratch import Scratch
from syncd.simulation.replay.stage import ReplayStage
from syncd.simulation.scene import differing, truths
from syncd.simulation.summary import LagFigures, lag_figures

_SHOWN = 20
_SKUS_AT_ONCE = 50
_USUAL_LAG_S = 300.0


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one replay. Lags are the seller's seconds, memory is MiB; the rest is in the names."""

    file: str
    read_as: str
    dates_read: str  # which way, and by what; nothing where it makes no difference
    seed: int
    database: str
    faithful: bool
    lines: int
    lines_by_reason: dict[str, int]
    lines_without_customer: int
    examples: dict[str, list[tuple[int, str]]]
    orders: int
    orders_sold_out_whole: int
    orders_sent_home: int
    orders_in: dict[str, dict[str, int]]  # by account and way
    stopped: bool
    kills: int
    setting_up_s: float
    playing_s: float
    coming_to_rest_s: float
    orders_per_s: float
    lines_per_s: float
    seller_days: float
    moves_of_the_clock: int
    numbers_written: int
    lag_s: LagFigures
    oversold_units: int
    oversold_causes: dict[str, int]
    peak_daemon_mib: float | None
    peaks_daemon_mib: list[float]  # of each of its lives: the later ones meet a bigger book
    peak_marketplaces_mib: float | None
    peak_replay_mib: float
    awaited: str
    orders_wrong: list[str]
    audit_violations: list[str]
    listings_differing: list[tuple[str, str, int, int]]

    @property
    def lines_accounted_for(self) -> int:
        return sum(self.lines_by_reason.values())

    @property
    def good(self) -> bool:
        wrong = (self.awaited, self.orders_wrong, self.audit_violations, self.listings_differing)
        return not any(wrong) and self.lines_accounted_for == self.lines

    def to_json(self) -> dict[str, Any]:
        return {"good": self.good, **asdict(self)}

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class Timed:
    """Real seconds of each part, and what the file and the clock were like."""

    setting_up_s: float
    playing_s: float
    resting_s: float
    seller_days: float


async def report_on(
    stage: ReplayStage,
    scratch: Scratch,
    loaded: Loaded,
    played: Played,
    timed: Timed,
    awaited: str,
    *,
    file: Path,
    faithful: bool,
) -> Report:
    """Look at everything once it is at rest."""
    truth = await truths(stage)
    stage.note_peak()
    db = stage.setup.db
    tallies, lags = db.read_now(read_tallies), db.read_now(read_lags)
    told = lag_figures(lags)
    orders_wrong = await wrong_orders(stage, scratch, truth)
    violations = [json.dumps(violation.to_json()) for violation in audit(db).violations]
    listings_differing = await differing(stage, truth)
    causes = _causes(stage, _lag_to_shown_s(told))
    return Report(
        file=file.name,
        read_as=loaded.source,
        dates_read=str(loaded.dates),
        seed=stage.world.seed,
        database=db.writer.dialect.name,
        faithful=faithful,
        lines=loaded.lines,
        lines_by_reason={reason.value: n for reason in Reason if (n := scratch.told().get(reason))},
        lines_without_customer=scratch.nameless(),
        examples={reason.value: found for reason, found in loaded.examples.items() if found},
        orders=played.orders,
        orders_sold_out_whole=played.refused,
        orders_sent_home=played.sent_home,
        orders_in=_by_way(tallies, list(truth)),
        stopped=played.stopped,
        kills=stage.restarts,
        setting_up_s=round(timed.setting_up_s, 1),
        playing_s=round(timed.playing_s, 1),
        coming_to_rest_s=round(timed.resting_s, 1),
        orders_per_s=round(played.orders / timed.playing_s, 1),
        lines_per_s=round(played.lines / timed.playing_s, 1),
        seller_days=round(timed.seller_days, 1),
        moves_of_the_clock=stage.conductor.moves,
        numbers_written=_sum(tallies, "numbers_written"),
        lag_s=told,
        oversold_units=_sum(tallies, "oversold_units"),
        oversold_causes=causes,
        peak_daemon_mib=max(stage.peaks_mib, default=None),
        peaks_daemon_mib=list(stage.peaks_mib),
        peak_marketplaces_mib=stage.sandbox.peak_rss_mib(),
        peak_replay_mib=own_peak_mib(),
        awaited=awaited,
        orders_wrong=orders_wrong,
        audit_violations=violations,
        listings_differing=listings_differing,
    )


def report_view(report: Report) -> RenderableType:
    """The report on the terminal; it fits 80 columns."""
    parts: list[RenderableType] = [_lines(report), Text(), _figures(report), Text(), *_checks(report)]
    return Panel(Group(*parts), title="Replay", title_align="left", width=80, padding=(1, 1))


def _lines(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(f"lines of {report.file}, read as {report.read_as}", ratio=1)
    table.add_column("", justify="right")
    for reason, lines in report.lines_by_reason.items():
        table.add_row(reason, f"{lines:,}")
    table.add_row(Text("in all", style="bold"), Text(f"{report.lines:,}", style="bold"))
    return table


def _figures(report: Report) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    if report.dates_read:
        table.add_row("dates read", report.dates_read)
    table.add_row("orders", f"{report.orders:,}; of {report.orders_sold_out_whole:,} every line was sold out")
    if report.orders_sent_home:
        table.add_row("  sent home", f"{report.orders_sent_home:,}: no channel here knows their country")
    for key, ways in report.orders_in.items():
        table.add_row(f"  {key}", ", ".join(f"{n:,} by {way}" for way, n in ways.items()))
    table.add_row("speed", f"{report.orders_per_s:g} orders/s, {report.lines_per_s:g} lines/s on {report.database}")
    words = f"{report.playing_s:g} s for {report.seller_days:g} days; {report.coming_to_rest_s:g} s to come to rest"
    table.add_row("real time", words)
    table.add_row("numbers written", f"{report.numbers_written:,}")
    for kind in ("placed_to_book", "placed_to_shown"):
        if lag := report.lag_s.get(kind):
            table.add_row(kind.replace("_", " "), f"{lag_words(lag['p50'], lag['p95'])} s (p50 / p95)")
    table.add_row("oversold", f"{report.oversold_units:,} units")
    for cause, units in report.oversold_causes.items():
        table.add_row("", f"{units:,}: {cause}")
    table.add_row("daemon killed", f"{report.kills} times")
    table.add_row(
        "peak memory",
        f"daemon {report.peak_daemon_mib or 0:g} MiB, replay {report.peak_replay_mib:g} MiB, "
        f"marketplaces {report.peak_marketplaces_mib or 0:g} MiB",
    )
    if len(report.peaks_daemon_mib) > 1:
        table.add_row("", f"daemon by life: {', '.join(f'{peak:g}' for peak in report.peaks_daemon_mib)} MiB")
    return table


def _checks(report: Report) -> list[Text]:
    checks = [
        _check(report.lines_accounted_for == report.lines, "every line of the file is accounted for"),
        _check(not report.awaited, "everything came to rest", report.awaited),
        _check(not report.orders_wrong, "every order is in, exactly once, as its buyer has it", *report.orders_wrong),
        _check(not report.audit_violations, "the audit proves the book", *report.audit_violations),
        _check(
            not report.listings_differing,
            "every listing shows its sellable quantity",
            *(f"{account} {sku}: {shown}, not {right}" for account, sku, shown, right in report.listings_differing),
        ),
    ]
    if report.stopped:
        checks.append(Text("stopped: what was not reached is counted above", style="yellow"))
    return checks


def _check(good: bool, what: str, *wrong: str) -> Text:
    if good:
        return Text(f"✓ {what}", style="green")
    more = f"\n    and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Text("\n    ".join([f"✗ not true: {what}", *wrong[:_SHOWN]]) + more, style="bold red")


def _by_way(tallies: Mapping[tuple[str, str], int], keys: list[str]) -> dict[str, dict[str, int]]:
    prefix = "orders_in."
    return {
        key: {
            name.removeprefix(prefix): n
            for (scope, name), n in sorted(tallies.items())
            if scope == f"account:{key}" and name.startswith(prefix)
        }
        for key in keys
    }


def _sum(tallies: Mapping[tuple[str, str], int], wanted: str) -> int:
    return sum(n for (scope, name), n in tallies.items() if name == wanted and scope.startswith("account:"))


def _causes(stage: ReplayStage, lag_s: float) -> dict[str, int]:
    """Oversold units by cause, some SKUs at a time: memory must not grow with the file. No line here has two SKUs."""
    db, added = stage.setup.db, dict[str, int]()
    for some in in_chunks(db.read_now(oversold_skus), _SKUS_AT_ONCE):
        sales = db.read_now(read_sales, some)
        for units_by_cause in oversells_by_cause(sales, stage.happenings, lag_s).values():
            for cause, units in units_by_cause.items():
                added[str(cause)] = added.get(str(cause), 0) + units
    return added


def _lag_to_shown_s(lags: LagFigures) -> float:
    measured = lags.get("placed_to_shown", {}).get("p95")
    return _USUAL_LAG_S if measured is None else float(measured)


def own_peak_mib() -> float:
    """The most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)
