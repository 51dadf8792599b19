"""Remembers writes by the key they came with, so that a repeated one has no second effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock
from adapters.shopify.sandbox.errors import Json

KEPT = timedelta(hours=24)  # shopify.dev, idempotent requests, November 2026


class Conflict(StrEnum):
    """A key that can't be used now, by the code the vendor gives."""

    PARAMETER_MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    CONCURRENT_REQUEST = "IDEMPOTENCY_CONCURRENT_REQUEST"


CONFLICT_MESSAGES = {
    Conflict.PARAMETER_MISMATCH: "The same idempotency key cannot be used with different operation parameters.",
    Conflict.CONCURRENT_REQUEST: "This request is currently in progress, please try again.",
}


@dataclass(slots=True)
class _Attempt:
    fingerprint: str
    begun_at: datetime
    outcome: Json | None = None  # None while in flight


class IdempotencyStore:
    """Keys and outcomes of the last 24 hours, in the order they came.

    An outcome is stored whether it succeeded or was refused with userErrors: the same key replays the same refusal,
    even when the write would go through by now. The vendor documents replays only for success; replaying refusals is
    the stricter reading, because a client that hopes to retry a stale write with its old key never gets anywhere.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: dict[str, _Attempt] = {}

    def begin(self, key: str, fingerprint: str) -> Json | Conflict | None:
        """The stored outcome of this very write, a conflict, or None: go on, and call `finish` or `forget`."""
        self._expire()
        known = self._attempts.get(key)
        if known is None:
            self._attempts[key] = _Attempt(fingerprint, self._clock.now())
            return None
        if known.fingerprint != fingerprint:
            return Conflict.PARAMETER_MISMATCH
        return known.outcome if known.outcome is not None else Conflict.CONCURRENT_REQUEST

    def finish(self, key: str, outcome: Json) -> None:
        self._attempts[key].outcome = outcome

    def forget(self, key: str) -> None:
        """Nothing came of the attempt: the key is free again."""
        self._attempts.pop(key, None)

    def _expire(self) -> None:
        oldest_kept = self._clock.now() - KEPT
        while self._attempts:
            key = next(iter(self._attempts))
            if self._attempts[key].begun_at > oldest_kept:
                return
            del self._attempts[key]
