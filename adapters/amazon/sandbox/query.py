"""Reads query parameters as the vendor does: lists are comma-separated, instants carry an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.amazon.sandbox.errors import invalid_input
from adapters.amazon.sandbox.instants import read_instant


def listed(query: Mapping[str, str], name: str, limit: int | None = None) -> list[str]:
    """The values of a list; empty when it is not given."""
    values = [value for value in query.get(name, "").split(",") if value]
    if limit is not None and len(values) > limit:
        raise invalid_input(f"{name} holds more than {limit} values.")
    return values


def choices(query: Mapping[str, str], name: str, among: Sequence[str]) -> list[str]:
    """The values of a list of known words."""
    values = listed(query, name)
    for value in values:
        if value not in among:
            raise invalid_input(f"{name}: {value} is none of {', '.join(among)}.")
    return values


def choice(query: Mapping[str, str], name: str, among: Sequence[str], default: str) -> str:
    value = query.get(name, default)
    if value not in among:
        raise invalid_input(f"{name}: {value} is none of {', '.join(among)}.")
    return value


def whole(query: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    """A number from 1 to `maximum`."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= maximum:
        raise invalid_input(f"{name} must be between 1 and {maximum}.")
    return int(text)


def instant(query: Mapping[str, str], name: str) -> datetime:
    found = read_instant(query[name])
    if found is None:
        raise invalid_input(f"{name} is not an ISO 8601 date and time.")
    return found


def optional_instant(query: Mapping[str, str], name: str) -> datetime | None:
    return instant(query, name) if name in query else None


def flag(query: Mapping[str, str], name: str) -> bool:
    return choice(query, name, ("true", "false"), "false") == "true"
