"""Stands for a route that cannot be used as it is configured: sends nothing, and says why."""

from __future__ import annotations

from syncd.alerts.senders.sender import RouteDead


class Unopened:
    """Fails every message for the same `reason`, until a person corrects the route."""

    gap_s = 0.0

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def send(self, key: str, body: str) -> str:
        raise RouteDead(self._reason)

    async def close(self) -> None:
        """Nothing was opened."""
