"""Lags as people read them, in the seller's seconds."""

from __future__ import annotations

from rich.table import Table


def lag_table(*counts: str) -> Table:
    """A table of channels and their ways: two lags, then these counts."""
    table = Table(box=None, expand=True, pad_edge=False, collapse_padding=True)
    table.add_column("channel\n  way", no_wrap=True)
    for heading in ("sold to book\np50 / p95 s", "sold to shown\np50 / p95 s", *counts):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def lag_words(median_s: float | None, p95_s: float | None) -> str:
    return f"{_words(median_s)} / {_words(p95_s)}"


def _words(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
