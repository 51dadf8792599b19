"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adapters.sandbox_kit.faults import Fates, Mix


class Fault(StrEnum):
    """One way for a single API request to fail. The value is also the name of its probability in FaultMix."""

    RATE_LIMIT = "rate_limit"  # 429 with Retry-After, no effect
    SERVER_ERROR = "server_error"  # 500, no effect
    UNAVAILABLE = "unavailable"  # 503 with an HTML page, no effect
    INTERNAL_ERROR = "internal_error"  # 200 with INTERNAL_SERVER_ERROR, no effect
    TIMEOUT = "timeout"  # no answer for `hang_s`, then the connection closes; no effect
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105  the token dies now, so this request gets 401
    STALE_READ = "stale_read"  # levels are read from a replica up to `stale_read_s` behind
    TRUNCATED_JSON = "truncated_json"  # takes effect, and half of the answer arrives
    LOST_REPLY = "lost_reply"  # takes effect, and the connection closes instead of an answer


@dataclass(frozen=True, slots=True)
class FaultMix(Mix):
    """A light, invented mix: enough that every path is walked on an ordinary day."""

    rate_limit: float = 0.002
    server_error: float = 0.002
    unavailable: float = 0.001
    internal_error: float = 0.001
    timeout: float = 0.001
    token_expiry: float = 0.0005
    stale_read: float = 0.005
    truncated_json: float = 0.001
    lost_reply: float = 0.001

    retry_after_s: float = 2.0
    stale_read_s: float = 1.5


class Faults(Fates[Fault, FaultMix]):
    kinds = Fault

    def draw(self, root_fields: Sequence[str]) -> Fault | None:
        """The fault that a request with these root fields meets, if any. A plan's `operation` is a root field."""
        planned = self._planned_for(lambda plan: plan.operation is None or plan.operation in root_fields)
        return self._meet(planned or self._by_chance())
