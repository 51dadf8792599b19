"""What the sandbox counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    requests: Counter[str] = field(default_factory=Counter)  # by operation; "token" for the token endpoint
    throttled: int = 0
    writes_accepted: int = 0  # patches answered ACCEPTED
    writes_applied: int = 0  # patches whose number took effect
    fba_skus_offered: int = 0  # patches that gave a SKU which only FBA sold a merchant's number as well
