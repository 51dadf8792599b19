"""What a list may be asked for: each parameter with its kind, its words for the document, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncd.errors import suggest
from syncd.web.problems import Problem, wrong_parameter

LIMIT = 50
MOST = 500


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `read` turns its text into a value, or raises Unfit."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]


class Unfit(ValueError):
    """A value that a parameter cannot take."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def a_name(name: str, description: str) -> Parameter:
    def read(text: str) -> str:
        if not text.strip():
            raise Unfit("is empty", "Write a name, or leave the parameter out")
        return text

    return Parameter(name, description, {"type": "string", "minLength": 1}, read)


def a_choice(name: str, description: str, values: Sequence[str]) -> Parameter:
    def read(text: str) -> str:
        if text not in values:
            raise Unfit(f"{text!r} is none of {', '.join(values)}", suggest(text, values, "Write one of these"))
        return text

    return Parameter(name, description, {"type": "string", "enum": list(values)}, read)


def an_instant(name: str, description: str) -> Parameter:
    def read(text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise Unfit("is no instant with an offset", "Write one like 2026-11-22T08:00:00Z; a + in a URL is %2B")
        return at

    return Parameter(name, description, {"type": "string", "format": "date-time"}, read)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and 1 <= int(text) <= MOST):
        raise Unfit(f"is no number from 1 to {MOST}", f"Write one, or leave it out for {LIMIT}")
    return int(text)


PAGING = (
    Parameter(
        "limit",
        "How many at most. A page may hold fewer and yet have a `next`.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
        _limit,
    ),
    Parameter("cursor", "`next` of the page before, with the same filters.", {"type": "string"}, str),
)


def read_parameters(query: Mapping[str, str], known: Sequence[Parameter]) -> dict[str, Any]:
    """Every parameter given, read. Raises a Problem that names the first wrong one."""
    by_name = {each.name: each for each in known}
    asked: dict[str, Any] = {}
    for name, text in query.items():
        if name not in by_name:
            raise _unknown(name, by_name)
        if name in asked:
            raise wrong_parameter(name, "is there twice", "Write it once")
        if "\x00" in text:
            raise wrong_parameter(name, "has a byte that no name has", "Take the zero byte out")
        try:
            asked[name] = by_name[name].read(text)
        except Unfit as err:
            raise wrong_parameter(name, err.problem, err.remedy) from err
    return asked


def _unknown(name: str, known: Mapping[str, Parameter]) -> Problem:
    told = f"Known here are {', '.join(known)}" if known else "This address takes no parameters"
    return Problem(400, f"{name!r} is no parameter here", suggest(name, known, told), name)
