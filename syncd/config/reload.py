"""What a running daemon cannot change: what its connections, its port and its time are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from syncd.config.model import Config
from syncd.errors import ConfigProblem

FIXED: Final = ("database.url", "database.password_secret", "http.host", "http.port", "clock.record")
"""Keys that only a start reads. Every other one is taken by a reload."""


def fixed_that_differ(old: Config, new: Config) -> Iterator[ConfigProblem]:
    """The keys that are not as the daemon was started with. Values are not repeated."""
    for key in FIXED:
        table, _, name = key.partition(".")
        if getattr(getattr(old, table), name) != getattr(getattr(new, table), name):
            yield ConfigProblem(key, "cannot be changed while syncd runs", "Restart to change it, or put it back")
