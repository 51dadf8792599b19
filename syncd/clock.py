"""The seller's time: real or scaled, always from one record that every process reads."""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncd.errors import SyncdError


class ClockRecordError(SyncdError):
    """The clock record cannot be read."""


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """Real and seller's time in one line: at `real_start` it was `seller_start`, running `speed` times as fast since.

    It lies in a file so that daemon, sandboxes and command line agree, and go on agreeing after a restart.
    """

    real_start: datetime
    seller_start: datetime
    speed: float

    def seller(self, real: datetime) -> datetime:
        return self.seller_start + (real - self.real_start) * self.speed

    def save(self, path: Path) -> None:
        record = {
            "real_start": self.real_start.isoformat(),
            "seller_start": self.seller_start.isoformat(),
            "speed": self.speed,
        }
        scratch = path.with_suffix(".tmp")
        scratch.write_text(json.dumps(record, indent=1) + "\n")
        os.replace(scratch, path)

    @classmethod
    def load(cls, path: Path) -> ClockRecord:
        try:
            record = json.loads(path.read_text())
            starts = [datetime.fromisoformat(record[name]) for name in ("real_start", "seller_start")]
            speed = float(record["speed"])
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise ClockRecordError(
                f"clock record {path} cannot be read ({err}): remove [clock] from the configuration to use real time"
            ) from err
        if not (math.isfinite(speed) and speed > 0) or any(start.tzinfo is None for start in starts):
            raise ClockRecordError(f"clock record {path}: speed must be above 0 and both starts need an offset")
        real_start, seller_start = (start.astimezone(UTC) for start in starts)
        return cls(real_start, seller_start, speed)


class ScaledClock:
    """A Clock that runs by a ClockRecord; without one it is real time."""

    def __init__(self, record: ClockRecord | None = None, real: Callable[[], datetime] | None = None) -> None:
        self._record = record
        self._real = real or real_now

    @property
    def speed(self) -> float:
        return self._record.speed if self._record else 1.0

    def now(self) -> datetime:
        real = self._real()
        return self._record.seller(real) if self._record else real

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    def change_speed(self, speed: float) -> None:
        """Go on from now at another speed. Who sleeps already wakes as it was asked to."""
        real = self._real()
        self._record = ClockRecord(real, self._record.seller(real) if self._record else real, speed)

    def real_seconds(self, seller_seconds: float) -> float:
        """How long that many of the seller's seconds take in real ones."""
        return seller_seconds / self.speed


def clock_from(record: Path | None) -> ScaledClock:
    """The clock of a configuration: scaled by its record, or real time when it names none."""
    return ScaledClock(ClockRecord.load(record) if record else None)


def real_now() -> datetime:
    """The real instant, for leases and watchdogs alone."""
    return datetime.now(UTC)


def start_record(speed: float, seller_start: datetime | None = None) -> ClockRecord:
    """A record that starts now."""
    real = real_now().replace(microsecond=0)
    return ClockRecord(real, seller_start or real, speed)


def seconds_between(earlier: datetime, later: datetime) -> float:
    return (later - earlier) / timedelta(seconds=1)
