"""What the sandbox counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    requests: Counter[str] = field(default_factory=Counter)  # by root field; "token" for the token endpoint
    throttled: int = 0
    writes_applied: int = 0  # rows whose quantity a write changed
    rows_stale: int = 0
    replays: int = 0  # writes answered from the idempotency store
