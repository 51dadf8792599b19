"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.faults import Fates, Mix


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
class FaultMix(Mix):
    """A light, invented mix: enough that every path is walked on an ordinary day.

    `hang_s` is in real seconds: it stands for a network that goes quiet.
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
    webhook_late: float = 0.02  # the message takes up to `webhook_late_s` instead
    webhook_reorder: float = 0.1  # a receive hands messages over in any order

    storm_s: float = 20.0
    webhook_late_s: float = 600.0


STALE_READERS = ("getListingsItem", "searchListingsItems")
QUEUE_FAULTS = (Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.TIMEOUT, Fault.LOST_REPLY, Fault.LATE_REPLY)


class Faults(Fates[Fault, FaultMix]):
    """A plan's `operation` is one of the API or an action of the queue; without one it fits any request to the API."""

    kinds = Fault

    def __init__(self, mix: FaultMix, clock: Clock, rng: Rng) -> None:
        super().__init__(mix, clock, rng)
        self._storms: dict[str, datetime] = {}

    def calm(self) -> None:
        """End outages and storms, and forget what was planned."""
        super().calm()
        self._storms.clear()

    def draw(self, operation: str) -> Fault | None:
        """The fault that a request to the API meets, if any. Only readers of listings meet stale reads."""
        fault = (
            self._storm(operation)
            or self._planned_for(lambda plan: plan.operation in (None, operation))
            or self._by_chance()
        )
        if fault is Fault.STALE_READ and operation not in STALE_READERS:
            return None
        if fault is Fault.RATE_LIMIT and operation not in self._storms:
            self._storms[operation] = self._clock.now() + timedelta(seconds=self.mix.storm_s)
        return self._meet(fault)

    def draw_for_queue(self, action: str) -> Fault | None:
        """The fault that an action of the queue meets, if any: the queue knows fewer of them."""
        fault = self._planned_for(lambda plan: plan.operation == action) or self._by_chance()
        return self._meet(fault) if fault in QUEUE_FAULTS else None

    def message_delay(self) -> float:
        """How long a message takes to the queue."""
        slowest = self.mix.webhook_late_s if self.chance(self.mix.webhook_late) else self.mix.webhook_delay_max_s
        return self._rng.uniform(self.mix.webhook_delay_min_s, max(self.mix.webhook_delay_min_s, slowest))

    def _storm(self, operation: str) -> Fault | None:
        ends_at = self._storms.get(operation)
        if ends_at is None:
            return None
        if self._clock.now() < ends_at:
            return Fault.RATE_LIMIT
        del self._storms[operation]
        return None
