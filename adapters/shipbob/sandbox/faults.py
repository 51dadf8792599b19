"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock, Rng


class Fault(StrEnum):
    """One way for a single API request to fail. The value is also the name of its probability in FaultMix."""

    RATE_LIMIT = "rate_limit"  # 429 as if the window were full, no effect
    SERVER_ERROR = "server_error"  # 500, no effect
    UNAVAILABLE = "unavailable"  # 503 with an HTML page, no effect
    TIMEOUT = "timeout"  # no answer for `hang_s`, then the connection closes; no effect
    STALE_READ = "stale_read"  # levels are read as they stood up to `stale_read_s` ago
    TRUNCATED_JSON = "truncated_json"  # takes effect, and half of the answer arrives
    LOST_REPLY = "lost_reply"  # takes effect, and the connection closes instead of an answer


@dataclass(frozen=True, slots=True)
class FaultMix:
    """Probabilities per API request (at most one fault each) and per webhook delivery; durations are seller's seconds.

    The defaults are a light, invented mix: enough that every path is walked on an ordinary day.
    """

    rate_limit: float = 0.002
    server_error: float = 0.002
    unavailable: float = 0.001
    timeout: float = 0.001
    stale_read: float = 0.01
    truncated_json: float = 0.001
    lost_reply: float = 0.002
    webhook_drop: float = 0.01
    webhook_duplicate: float = 0.02

    retry_after_s: float = 5.0
    hang_s: float = 30.0
    stale_read_s: float = 20.0
    webhook_delay_min_s: float = 0.5
    webhook_delay_max_s: float = 8.0

    @classmethod
    def none(cls) -> FaultMix:
        """Nothing goes wrong; webhooks still take their time."""
        return cls(**dict.fromkeys(PROBABILITIES, 0.0))


DURATIONS = ("retry_after_s", "hang_s", "stale_read_s", "webhook_delay_min_s", "webhook_delay_max_s")
PROBABILITIES = tuple(f.name for f in fields(FaultMix) if f.name not in DURATIONS)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault that the next fitting request meets for certain. `operation` as in the stats; None fits any request."""

    fault: Fault
    operation: str | None = None


class Faults:
    """Decides the fate of each request, by plan first and by chance second."""

    def __init__(self, mix: FaultMix, clock: Clock, rng: Rng) -> None:
        self.mix = mix
        self.planned: deque[Planned] = deque()
        self.met: Counter[str] = Counter()
        self._clock = clock
        self._rng = rng
        self._down_until: datetime | None = None

    def go_down(self, seconds: float) -> None:
        """Answer nothing but 503 for that long. 0 ends an outage."""
        self._down_until = self._clock.now() + timedelta(seconds=seconds)

    @property
    def down(self) -> bool:
        return self._down_until is not None and self._clock.now() < self._down_until

    def draw(self, operation: str) -> Fault | None:
        """The fault that a request of this operation meets, if any."""
        fault = self._planned_for(operation) or self._by_chance()
        if fault is not None:
            self.met[fault] += 1
        return fault

    def chance(self, probability: float) -> bool:
        """True with that probability; a probability of 0 draws nothing."""
        return probability > 0 and self._rng.random() < probability

    def webhook_delay(self) -> float:
        return self._rng.uniform(self.mix.webhook_delay_min_s, self.mix.webhook_delay_max_s)

    def staleness(self) -> float:
        return self._rng.uniform(0.0, self.mix.stale_read_s)

    def _planned_for(self, operation: str) -> Fault | None:
        for plan in self.planned:
            if plan.operation in (None, operation):
                self.planned.remove(plan)
                return plan.fault
        return None

    def _by_chance(self) -> Fault | None:
        draw = self._rng.random()
        for fault in Fault:
            probability: float = getattr(self.mix, fault.value)
            if draw < probability:
                return fault
            draw -= probability
        return None
