"""What the sandbox counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    requests: Counter[str] = field(default_factory=Counter)  # by operation, such as "order.create"
    throttled: int = 0
    writes_applied: int = 0  # orders created, and shipments cancelled
    duplicates_refused: int = 0
