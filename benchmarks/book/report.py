"""The rounds as a table for people and as JSON for what reads it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.book.figures import Figure, Round

OUT: Final = Path(__file__).parents[1] / "out" / "book.json"
_WORDS: Final = {True: "[green]met", False: "[red]missed", None: ""}


def document(figures: Sequence[Figure], rounds: Sequence[Round], setting: Mapping[str, Any]) -> dict[str, Any]:
    """`rows` have a target each, `others` none; a row's `ratio` is the median of its `rounds`."""
    rows = [_row(figure, rounds) for figure in figures]
    return {
        "setting": dict(setting),
        "rows": [row for row in rows if row["target"] is not None],
        "others": [row for row in rows if row["target"] is None],
        "rates": [_rates(name, rounds) for name in rounds[0]],
    }


def _row(figure: Figure, rounds: Sequence[Round]) -> dict[str, Any]:
    values = [figure.of_round(one) for one in rounds]
    ratio = statistics.median(values)
    return {
        "name": figure.name,
        "told": figure.told,
        "ratio": round(ratio, 3),
        "target": figure.target,
        "stretch": figure.stretch,
        "better": figure.better.value,
        "unit": figure.unit,
        "met": figure.meets(ratio, figure.target),
        "stretch_met": figure.meets(ratio, figure.stretch),
        "rounds": [round(value, 3) for value in values],
    }


def _rates(name: str, rounds: Sequence[Round]) -> dict[str, Any]:
    runs = [one[name] for one in rounds]
    return {
        "name": name,
        "rate": round(statistics.median(run.rate for run in runs), 1),
        "unit": runs[0].unit,
        "p50_ms": round(statistics.median(run.p50_ms for run in runs), 2),
        "p99_ms": round(statistics.median(run.p99_ms for run in runs), 2),
        "mib": round(max(run.mib for run in runs), 1),
        "rounds": [round(run.rate, 1) for run in runs],
        "note": runs[-1].note,
    }


def save(told: Mapping[str, Any], path: Path = OUT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


def show(told: Mapping[str, Any], console: Console) -> None:
    """Absolute rates first, then what they come to."""
    rates = Table("contender", "median", "each round", "unit", "p50 ms", "p99 ms", "MiB", "note", title="Rates")
    for row in told["rates"]:
        each = " ".join(f"{value:.0f}" for value in row["rounds"])
        times = [f"{row[name]:.1f}" if row[name] else "" for name in ("p50_ms", "p99_ms", "mib")]
        rates.add_row(row["name"], f"{row['rate']:.0f}", each, row["unit"], *times, row["note"])
    console.print(rates)
    figures = Table("figure", "median", "min..max", "unit", "target", "stretch", "", title="Figures")
    for row in (*told["rows"], *told["others"]):
        wanted = [f"{row['better']} {row[name]:g}" if row[name] is not None else "" for name in ("target", "stretch")]
        span = f"{min(row['rounds']):.2f}..{max(row['rounds']):.2f}"
        figures.add_row(row["told"], f"{row['ratio']:.2f}", span, row["unit"], *wanted, _WORDS[row["met"]])
    console.print(figures)
