"""What orders can be listed by."""

from __future__ import annotations

from enum import StrEnum


class OrderFilter(StrEnum):
    """A state, or open orders that a person should look at."""

    OPEN = "open"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    SHORT = "short"
    IN_REVIEW = "in_review"
