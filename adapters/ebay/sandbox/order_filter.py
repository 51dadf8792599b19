"""The filter grammar of getOrders: `name:[start..end]` and `name:{A|B}`, several joined by commas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ebay.sandbox.errors import fulfillment_error
from adapters.ebay.sandbox.instants import read_instant

REACH = timedelta(days=730)
_TERM = re.compile(r"(?P<name>[A-Za-z]+):(?P<value>\[[^\]]*\]|\{[^}]*\})(?:,|$)")
_STATUSES = {
    frozenset({"NOT_STARTED", "IN_PROGRESS"}),
    frozenset({"FULFILLED", "IN_PROGRESS"}),
}


@dataclass(frozen=True, slots=True)
class Window:
    """Both ends belong to it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OrderFilter:
    created: Window | None = None
    modified: Window | None = None  # means nothing where `created` is given
    statuses: frozenset[str] | None = None


def read_filter(text: str | None, now: datetime) -> OrderFilter:
    """Raises 400: 30700 for a name, 30800 for a value, 30810 to 30850 for dates."""
    created = modified = statuses = None
    for name, value in _terms(text or ""):
        if name == "creationdate":
            created = _window(value, name, now)
        elif name == "lastmodifieddate":
            modified = _window(value, name, now)
        elif name == "orderfulfillmentstatus":
            statuses = _status_set(value)
        else:
            raise fulfillment_error(400, 30700, f"Invalid filter name: {name}")
    return OrderFilter(created, modified, statuses)


def _terms(text: str) -> list[tuple[str, str]]:
    terms, at = [], 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            name, _, value = text[at:].partition(":")
            if not value:
                raise fulfillment_error(400, 30700, f"Invalid filter name: {name}")
            raise _bad_value(name, value)
        terms.append((found["name"], found["value"]))
        at = found.end()
    return terms


def _window(value: str, name: str, now: datetime) -> Window:
    if not value.startswith("[") or ".." not in value:
        raise _bad_value(name, value)
    start_text, _, end_text = value[1:-1].partition("..")
    if not start_text:
        raise fulfillment_error(400, 30820, "Start date is missing")
    start, end = read_instant(start_text), read_instant(end_text) if end_text else now
    if start is None or end is None:
        raise fulfillment_error(400, 30810, "Invalid date format")
    if start > now or end > now:
        raise fulfillment_error(400, 30850, "Start and end dates can't be in the future")
    if start > end:
        raise fulfillment_error(400, 30840, "Start date should be before end date")
    if end - start > REACH:
        message = "Time range between start date and end date must be within '2' years."
        raise fulfillment_error(400, 30830, message)
    return Window(start, end)


def _status_set(value: str) -> frozenset[str]:
    given = frozenset(value[1:-1].split("|"))
    if not value.startswith("{") or given not in _STATUSES:
        raise _bad_value("orderfulfillmentstatus", value)
    return given


def _bad_value(name: str, value: str) -> Exception:
    return fulfillment_error(400, 30800, f"Invalid filter value {value} for filter {name}")
