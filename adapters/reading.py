"""Reading single values out of whatever a vendor sent, each judged on its own: None for what cannot be used. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from adapters.contract import Problem

MOST_PIECES = 1_000_000  # more in one line is an error, not an order
T = TypeVar("T")


class Unreadable(Exception):
    """Nothing can be said of this event: it is malformed."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.problem = Problem(field, reason)


def shaped(raw: object, shape: type[T]) -> T | None:
    """Decoded JSON as `shape`, or None when it isn't."""
    try:
        return msgspec.convert(raw, shape)
    except (msgspec.ValidationError, RecursionError):
        return None


def entries(raw: object) -> list[object]:
    """A JSON array, or nothing."""
    return raw if isinstance(raw, list) else []


def text(value: object) -> str | None:
    """A string with something in it. NUL is dropped: databases refuse it, and nobody means it."""
    if not isinstance(value, str):
        return None
    value = value.replace("\x00", "")
    return value if value.strip() else None


def pieces(value: object) -> int | None:
    """A usable number of units. JSON `true` and `2.0` are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_PIECES else None


def instant(value: object) -> datetime | None:
    """An ISO 8601 instant with an offset, in UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
