"""The adapter's side of a stepping clock."""

from __future__ import annotations

from datetime import datetime

from tests.unit.shopify_sandbox.kit import SteppingClock


class PatientClock:
    """Whoever sleeps moves the time on."""

    def __init__(self, stepping: SteppingClock) -> None:
        self._stepping = stepping

    def now(self) -> datetime:
        return self._stepping.now()

    async def sleep(self, seconds: float) -> None:
        await self._stepping.advance(seconds)
