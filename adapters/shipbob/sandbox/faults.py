"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.sandbox_kit.faults import Fates, Mix


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
class FaultMix(Mix):
    """A light, invented mix: enough that every path is walked on an ordinary day."""

    rate_limit: float = 0.002
    server_error: float = 0.002
    unavailable: float = 0.001
    timeout: float = 0.001
    stale_read: float = 0.01
    truncated_json: float = 0.001
    lost_reply: float = 0.002

    retry_after_s: float = 5.0


class Faults(Fates[Fault, FaultMix]):
    kinds = Fault

    def draw(self, operation: str) -> Fault | None:
        """The fault that a request of this operation meets, if any."""
        planned = self._planned_for(lambda plan: plan.operation in (None, operation))
        return self._meet(planned or self._by_chance())
