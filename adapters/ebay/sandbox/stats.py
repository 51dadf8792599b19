"""Counts of what the vendor's face was asked for and did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    requests: Counter[str] = field(default_factory=Counter)  # by operation
    throttled: int = 0
    writes_applied: int = 0  # rows of bulk writes
