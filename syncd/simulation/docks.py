"""Goods that arrive at somebody else's warehouse: its own people book them, and we read of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from syncd.simulation.stage import Stage

Dock = Callable[[Mapping[str, int]], Awaitable[None]]
"""Takes the pieces that arrived, by our SKU."""


def docks_of(stage: Stage) -> dict[str, Dock]:
    """The dock of every warehouse that is not the seller's own, by its key."""
    return {}
