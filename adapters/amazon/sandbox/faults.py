"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock, Rng


class Fault(StrEnum):
    """One way for a single API request to fail. The value is also the name of its probability in FaultMix."""

    RATE_LIMIT = "rate_limit"  # 429 to this and every call of the operation for `storm_s`
    SERVER_ERROR = "server_error"  # 500 InternalFailure, no effect
    UNAVAILABLE = "unavailable"  # 503 with an HTML page, no effect
    TIMEOUT = "timeout"  # no answer for `hang_s`, then the connection closes; no effect
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105  the token dies now, so this request gets 403
    STALE_READ = "stale_read"  # listings are read from a replica up to `stale_read_s` behind
    TRUNCATED_JSON = "truncated_json"  # takes effect, and half of the answer arrives
    LOST_REPLY = "lost_reply"  # takes effect, and the connection closes instead of an answer
    LATE_REPLY = "late_reply"  # takes effect, then no answer for `hang_s` until the connection closes


@dataclass(frozen=True, slots=True)
class FaultMix:
    """Probabilities per request (at most one fault each) and per queue message.

    Durations are the seller's seconds, `hang_s` real ones: it stands for a network that goes quiet. The defaults are
    a light, invented mix: enough that every path is walked on an ordinary day.
    """

    rate_limit: float = 0.001
    server_error: float = 0.002
    unavailable: float = 0.001
    timeout: float = 0.0005
    token_expiry: float = 0.0005
    stale_read: float = 0.01
    truncated_json: float = 0.0005
    lost_reply: float = 0.001
    late_reply: float = 0.0005
    rate_header_missing: float = 0.05  # a 2xx without x-amzn-RateLimit-Limit
    webhook_drop: float = 0.01
    webhook_duplicate: float = 0.02
    webhook_late: float = 0.02  # the message takes up to `webhook_late_s` instead
    webhook_reorder: float = 0.1  # a receive hands messages over in any order

    storm_s: float = 20.0
    hang_s: float = 30.0
    stale_read_s: float = 20.0
    webhook_delay_min_s: float = 0.5
    webhook_delay_max_s: float = 8.0
    webhook_late_s: float = 600.0

    @classmethod
    def none(cls) -> FaultMix:
        """Nothing goes wrong; messages still take their few seconds."""
        return cls(**dict.fromkeys(PROBABILITIES, 0.0))


DURATIONS = ("storm_s", "hang_s", "stale_read_s", "webhook_delay_min_s", "webhook_delay_max_s", "webhook_late_s")
PROBABILITIES = tuple(f.name for f in fields(FaultMix) if f.name not in DURATIONS)
STALE_READERS = ("getListingsItem", "searchListingsItems")
QUEUE_FAULTS = (Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.TIMEOUT, Fault.LOST_REPLY, Fault.LATE_REPLY)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault that the next fitting request meets for certain.

    `operation` is an API operation or an action of the queue; None fits any request to the API.
    """

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
        self._storms: dict[str, datetime] = {}

    def go_down(self, seconds: float) -> None:
        """Answer nothing but 503 for that long. 0 ends an outage."""
        self._down_until = self._clock.now() + timedelta(seconds=seconds)

    def calm(self) -> None:
        """End outages and storms, and forget what was planned."""
        self._down_until = None
        self._storms.clear()
        self.planned.clear()

    @property
    def down(self) -> bool:
        return self._down_until is not None and self._clock.now() < self._down_until

    def draw(self, operation: str) -> Fault | None:
        """The fault that a request to the API meets, if any. Only readers of listings meet stale reads."""
        fault = self._storm(operation) or self._planned_for(operation, None) or self._by_chance()
        if fault is Fault.STALE_READ and operation not in STALE_READERS:
            return None
        if fault is Fault.RATE_LIMIT and operation not in self._storms:
            self._storms[operation] = self._clock.now() + timedelta(seconds=self.mix.storm_s)
        return self._meet(fault)

    def draw_for_queue(self, action: str) -> Fault | None:
        """The fault that an action of the queue meets, if any: the queue knows fewer of them."""
        fault = self._planned_for(action) or self._by_chance()
        return self._meet(fault) if fault in QUEUE_FAULTS else None

    def chance(self, probability: float) -> bool:
        """True with that probability; a probability of 0 draws nothing."""
        return probability > 0 and self._rng.random() < probability

    def message_delay(self) -> float:
        """How long a message takes to the queue."""
        slowest = self.mix.webhook_late_s if self.chance(self.mix.webhook_late) else self.mix.webhook_delay_max_s
        return self._rng.uniform(self.mix.webhook_delay_min_s, max(self.mix.webhook_delay_min_s, slowest))

    def staleness(self) -> float:
        return self._rng.uniform(0.0, self.mix.stale_read_s)

    def _storm(self, operation: str) -> Fault | None:
        ends_at = self._storms.get(operation)
        if ends_at is None:
            return None
        if self._clock.now() < ends_at:
            return Fault.RATE_LIMIT
        del self._storms[operation]
        return None

    def _meet(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            self.met[fault] += 1
        return fault

    def _planned_for(self, *operations: str | None) -> Fault | None:
        for plan in self.planned:
            if plan.operation in operations:
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
