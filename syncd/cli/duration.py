"""Durations as people type them."""

from __future__ import annotations

import re

import typer

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def real_seconds(text: str) -> float:
    """Seconds of `90`, `90s`, `5m` or `1h`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f"{text!r} is not a duration: write 60s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]
