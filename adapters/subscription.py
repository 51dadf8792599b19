"""What became of a webhook subscription that a vendor was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SubscriptionState(StrEnum):
    PRESENT = "present"
    CREATED = "created"
    REPAIRED = "repaired"  # it was disabled, marked down, or had another verification token
    REFUSED = "refused"
    POLLING_ONLY = "polling only"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What became of one topic; `reason` is the vendor's own words, or what to do, where it was refused."""

    topic: str  # or what the vendor wants besides: "alert email", "destination"
    state: SubscriptionState
    reason: str | None = None
