"""Dates as exports write them. Whether 01/02/2011 begins with the day or the month is found out, never assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Final

_NUMBERS: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|(?<!-)\d{2})")  # 10-12-01 could be anything
_TIME: Final = re.compile(r"[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: *([AaPp])\.?[Mm]\.?)?$")
_NAMED: Final = ("%d %b %Y", "%d-%b-%y", "%d-%b-%Y", "%b-%d-%y", "%b-%d-%Y", "%b %d %Y", "%b %d, %Y", "%Y/%m/%d")
_MONTHS: Final = 12


class DayOrder(StrEnum):
    """What a date of numbers begins with."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Undecided(ValueError):
    """Every date of a file can be read both ways; `text` is one of them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Dates:
    """How the dates of a file are read, and the first that shows it. `order` None: none of them needs to be known."""

    order: DayOrder | None = None
    shown_by: str = ""

    def __str__(self) -> str:
        if self.order is None:
            return ""
        return f"{self.order.value}, {f'as {self.shown_by} shows' if self.shown_by else 'as told'}"


def find_order(texts: Iterable[str]) -> Dates:
    """By the first date that has a number over 12. Raises Undecided where there is none, and day and month differ."""
    doubtful = ""
    for text in texts:
        numbers = _numbers(text)
        if numbers is None:
            continue
        first, second = numbers
        if first > _MONTHS >= second:
            return Dates(DayOrder.DAY_FIRST, text)
        if second > _MONTHS >= first:
            return Dates(DayOrder.MONTH_FIRST, text)
        if first != second:
            doubtful = doubtful or text
    if doubtful:
        raise Undecided(doubtful)
    return Dates()


@lru_cache(maxsize=4096)  # the lines of an order share theirs
def read_instant(text: str, zone: tzinfo, order: DayOrder | None) -> datetime | None:
    """The instant in UTC, of the zone where the text names none; None for what is no instant."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        at = _with_offset(text) or _written_out(text, order)
    if at is None:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def _numbers(text: str) -> tuple[int, int] | None:
    """The first two numbers of a date that can be read in two ways. One with dots begins with the day everywhere."""
    found = _NUMBERS.match(text)
    if found is None or found[2] == ".":
        return None
    first, second = int(found[1]), int(found[3])
    return (first, second) if _date(text, DayOrder.DAY_FIRST) or _date(text, DayOrder.MONTH_FIRST) else None


def _with_offset(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None


def _written_out(text: str, order: DayOrder | None) -> datetime | None:
    day = _date(text, order)
    found = _TIME.search(text)
    clock = _clock(found) if found else time()
    return None if day is None or clock is None else datetime.combine(day, clock)


def _date(text: str, order: DayOrder | None) -> date | None:
    written = _TIME.sub("", text).strip()
    numbers = _NUMBERS.fullmatch(written)
    if numbers is not None:
        return _of_numbers(numbers, order)
    for form in _NAMED:
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _of_numbers(found: re.Match[str], order: DayOrder | None) -> date | None:
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day_first = found[2] == "." or order is DayOrder.DAY_FIRST
    if order is None and found[2] != "." and first != second:
        return None
    day, month = (first, second) if day_first else (second, first)
    try:
        return date(year + (2000 if len(found[4]) == 2 else 0), month, day)
    except ValueError:
        return None


def _clock(found: re.Match[str]) -> time | None:
    hour, half = int(found[1]), (found[4] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "P" else 0)
    try:
        return time(hour, int(found[2]), int(found[3] or 0))
    except ValueError:
        return None
