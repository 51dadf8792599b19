"""The leaky bucket that every app has in every shop."""

from __future__ import annotations

from adapters.contract import Clock
from adapters.shopify.sandbox.errors import RATE_LIMIT_PAGE, Json

# "Query cost is N, which exceeds the single query max cost limit (1000)", measured by users in July 2026.
MAX_COST = 1000


class Bucket:
    """Points to spend; they come back at a steady rate of the seller's seconds."""

    def __init__(self, size: float, restore_per_s: float, clock: Clock) -> None:
        self._size = size
        self._restore_per_s = restore_per_s
        self._clock = clock
        self._points = size
        self._at = clock.now()

    def take(self, points: int) -> bool:
        """Take points for a request, if there are enough."""
        self._restore()
        if points > self._points:
            return False
        self._points -= points
        return True

    def give_back(self, points: int) -> None:
        """Return what a request was charged for and did not use."""
        self._restore()
        self._points = min(self._size, self._points + points)

    def cost(self, requested: int | None, actual: int | None) -> Json:
        """`extensions.cost` of an answer. Live answers mix integers and floats in the status; so does this one."""
        self._restore()
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": float(self._size),
                "currentlyAvailable": int(self._points),
                "restoreRate": float(self._restore_per_s),
            },
        }

    def _restore(self) -> None:
        now = self._clock.now()
        self._points = min(self._size, self._points + (now - self._at).total_seconds() * self._restore_per_s)
        self._at = now


def throttled() -> Json:
    return {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": RATE_LIMIT_PAGE}}


def too_costly(cost: int) -> Json:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({MAX_COST}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": cost,
            "maxCost": MAX_COST,
            "documentation": RATE_LIMIT_PAGE,
        },
    }
