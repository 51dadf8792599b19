"""Lags as people read them."""

from __future__ import annotations


def seconds_words(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def lag_words(median_s: float | None, p95_s: float | None) -> str:
    return f"{seconds_words(median_s)} / {seconds_words(p95_s)}"
