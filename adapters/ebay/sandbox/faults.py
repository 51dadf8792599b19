"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.sandbox_kit.faults import Fates, Mix, Planned


class Fault(StrEnum):
    """One way for a single API request to fail. The value is also the name of its probability in FaultMix."""

    RATE_LIMIT = "rate_limit"  # 429, no effect
    SERVER_ERROR = "server_error"  # 500 with the API's system error, no effect
    UNAVAILABLE = "unavailable"  # 503 with Akamai's HTML page, no effect
    FORBIDDEN_PAGE = "forbidden_page"  # 403 with Akamai's HTML page, no effect
    TIMEOUT = "timeout"  # no answer for `hang_s`, then the connection closes; no effect
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105  the token dies now, so this request gets 401
    STALE_READ = "stale_read"  # quantities are read from a replica up to `stale_read_s` behind
    TRUNCATED_JSON = "truncated_json"  # takes effect, and half of the answer arrives
    LOST_REPLY = "lost_reply"  # takes effect, and the connection closes instead of an answer
    CONCURRENT_ACCESS = "concurrent_access"  # bulk writes only: 500 with 25025, no effect
    ROW_FAILURE = "row_failure"  # bulk writes only: one entry fails with 25001, the others take effect


BULK_WRITE_ONLY = frozenset({Fault.CONCURRENT_ACCESS, Fault.ROW_FAILURE})


@dataclass(frozen=True, slots=True)
class FaultMix(Mix):
    """A light, invented mix: enough that every path is walked on an ordinary day."""

    rate_limit: float = 0.001
    server_error: float = 0.002
    unavailable: float = 0.001
    forbidden_page: float = 0.0005
    timeout: float = 0.001
    token_expiry: float = 0.0005
    stale_read: float = 0.005
    truncated_json: float = 0.001
    lost_reply: float = 0.002
    concurrent_access: float = 0.005
    row_failure: float = 0.005
    webhook_drop: float = 0.02
    webhook_late: float = 0.02  # up to `webhook_late_s` later than usual: overtaken by younger news
    webhook_forged: float = 0.005  # an attempt whose signature does not verify

    stale_read_s: float = 5.0
    webhook_late_s: float = 900.0


class Faults(Fates[Fault, FaultMix]):
    kinds = Fault

    def draw(self, operation: str, *, bulk_write: bool) -> Fault | None:
        """The fault that a request meets, if any."""

        def befalls(plan: Planned[Fault]) -> bool:
            return plan.operation in (None, operation) and (bulk_write or plan.fault not in BULK_WRITE_ONLY)

        fault = self._planned_for(befalls) or self._by_chance()
        return None if fault in BULK_WRITE_ONLY and not bulk_write else self._meet(fault)

    def webhook_delay(self) -> float:
        usual = super().webhook_delay()
        late = self._rng.uniform(0.0, self.mix.webhook_late_s) if self.chance(self.mix.webhook_late) else 0.0
        return usual + late
