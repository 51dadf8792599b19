"""Amazon's token buckets, one an operation, on the seller's clock.

A bucket is assumed full when the process begins; should the one at Amazon not be, a 429 empties ours too.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime

from adapters.contract import Clock

_FARTHEST = 10.0  # a header that names a rate more than so many times off the published one is an error


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with its published rate (tokens a second) and bucket size."""

    name: str
    rate: float
    burst: int


# The published models of August 2026 and Amazon's own SDK 1.13.0 agree on these.
SEARCH_ORDERS = Operation("searchOrders", 0.0056, 20)
GET_ORDER = Operation("getOrder", 0.5, 30)
SEARCH_LISTINGS = Operation("searchListingsItems", 5.0, 5)
GET_LISTING = Operation("getListingsItem", 5.0, 10)
PATCH_LISTING = Operation("patchListingsItem", 5.0, 5)
INVENTORY_SUMMARIES = Operation("getInventorySummaries", 2.0, 2)
MARKETPLACE_PARTICIPATIONS = Operation("getMarketplaceParticipations", 0.016, 15)


class TokenBucket:
    """Waits before a call until it fits; callers are served in the order they came."""

    def __init__(self, operation: Operation, clock: Clock) -> None:
        self._operation = operation
        self._clock = clock
        self._rate = operation.rate
        self._tokens = float(operation.burst)  # at _as_of
        self._as_of: datetime = clock.now()
        self._one_at_a_time = asyncio.Lock()

    @property
    def one_token_s(self) -> float:
        """How long the bucket needs for one more call."""
        return 1.0 / self._rate

    async def take(self) -> None:
        """Wait for a token and take it."""
        async with self._one_at_a_time:
            while self._refill() < 1.0:
                await self._clock.sleep((1.0 - self._tokens) / self._rate + 0.001)
            self._tokens -= 1.0

    def emptied(self) -> None:
        """Amazon refused a call: its bucket is empty, whatever ours says."""
        self._tokens, self._as_of = min(0.0, self._refill()), self._clock.now()

    def note_rate(self, header: str | None) -> None:
        """Believe an `x-amzn-RateLimit-Limit`: the rate of this seller's plan, which may differ from the published."""
        rate = _number(header)
        published = self._operation.rate
        if rate is not None and published / _FARTHEST <= rate <= published * _FARTHEST:
            self._refill()
            self._rate = rate

    def _refill(self) -> float:
        now = self._clock.now()
        passed_s = max(0.0, (now - self._as_of).total_seconds())
        self._tokens, self._as_of = min(self._tokens + passed_s * self._rate, float(self._operation.burst)), now
        return self._tokens


def _number(header: str | None) -> float | None:
    try:
        value = float(header) if header is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
