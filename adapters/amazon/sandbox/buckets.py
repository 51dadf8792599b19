"""A token bucket for every operation, refilled at a steady rate of the seller's seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.contract import Clock


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests a second, and how many may come at once."""

    rate: float
    burst: float


# From the vendor's models, August 2026.
QUOTAS = {
    "searchOrders": Quota(0.0056, 20),
    "getOrder": Quota(0.5, 30),
    "confirmShipment": Quota(2, 10),
    "patchListingsItem": Quota(5, 5),
    "getListingsItem": Quota(5, 10),
    "searchListingsItems": Quota(5, 5),
    "getInventorySummaries": Quota(2, 2),
    "getMarketplaceParticipations": Quota(0.016, 15),
}


class Buckets:
    """What is left of each operation's quota."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, datetime]] = {}

    def take(self, operation: str) -> bool:
        """Take one request's token, if there is one."""
        quota, now = QUOTAS[operation], self._clock.now()
        left, at = self._left.get(operation, (quota.burst, now))
        left = min(quota.burst, left + (now - at).total_seconds() * quota.rate)
        allowed = left >= 1
        self._left[operation] = (left - 1 if allowed else left, now)
        return allowed
