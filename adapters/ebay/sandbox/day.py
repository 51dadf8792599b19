"""The vendor's calendar day, after which quotas and revisions are fresh."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from adapters.contract import Clock


class Calendar:
    def __init__(self, clock: Clock, timezone: str) -> None:
        self._clock = clock
        self._zone = ZoneInfo(timezone)

    def today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    def next_day(self) -> datetime:
        """When today ends, in UTC."""
        return datetime.combine(self.today() + timedelta(days=1), time(), self._zone).astimezone(UTC)
