"""What can go wrong between a client and the vendor, and whether it does this time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock, Rng


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
class FaultMix:
    """Probabilities per API request (at most one fault each) and per notification; durations are seller's seconds.

    The defaults are a light, invented mix: enough that every path is walked on an ordinary day.
    """

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
    webhook_duplicate: float = 0.02
    webhook_late: float = 0.02  # up to `webhook_late_s` later than usual: overtaken by younger news
    webhook_forged: float = 0.005  # an attempt whose signature does not verify

    hang_s: float = 30.0
    stale_read_s: float = 5.0
    webhook_delay_min_s: float = 0.5
    webhook_delay_max_s: float = 8.0
    webhook_late_s: float = 900.0

    @classmethod
    def none(cls) -> FaultMix:
        """Nothing goes wrong; notifications still take their time."""
        return cls(**dict.fromkeys(PROBABILITIES, 0.0))


DURATIONS = ("hang_s", "stale_read_s", "webhook_delay_min_s", "webhook_delay_max_s", "webhook_late_s")
PROBABILITIES = tuple(f.name for f in fields(FaultMix) if f.name not in DURATIONS)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault that the next fitting request meets for certain. `operation` None fits any request it can befall."""

    fault: Fault
    operation: str | None = None

    def befalls(self, operation: str, *, bulk_write: bool) -> bool:
        return self.operation in (None, operation) and (bulk_write or self.fault not in BULK_WRITE_ONLY)


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

    def draw(self, operation: str, *, bulk_write: bool) -> Fault | None:
        """The fault that a request meets, if any."""
        fault = self._planned_for(operation, bulk_write=bulk_write) or self._by_chance()
        if fault in BULK_WRITE_ONLY and not bulk_write:
            return None
        if fault is not None:
            self.met[fault] += 1
        return fault

    def chance(self, probability: float) -> bool:
        """True with that probability; a probability of 0 draws nothing."""
        return probability > 0 and self._rng.random() < probability

    def webhook_delay(self) -> float:
        usual = self._rng.uniform(self.mix.webhook_delay_min_s, self.mix.webhook_delay_max_s)
        late = self._rng.uniform(0.0, self.mix.webhook_late_s) if self.chance(self.mix.webhook_late) else 0.0
        return usual + late

    def staleness(self) -> float:
        return self._rng.uniform(0.0, self.mix.stale_read_s)

    def _planned_for(self, operation: str, *, bulk_write: bool) -> Fault | None:
        for plan in self.planned:
            if plan.befalls(operation, bulk_write=bulk_write):
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
