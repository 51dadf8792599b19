"""Instants as the vendor prints and reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def printed(at: datetime) -> str:
    """In whole seconds, as the APIs print them."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def printed_ms(at: datetime) -> str:
    """In milliseconds, as notifications print them."""
    moment = at.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_instant(text: str) -> datetime | None:
    """The instant in an ISO 8601 date and time with an offset, or None."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
