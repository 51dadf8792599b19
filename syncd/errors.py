"""The errors of the daemon. They carry their data on attributes, for whoever shows or logs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

Place = tuple[int | str, ...]  # the keys and indexes that lead to a value of the configuration

EXAMPLE: Final = "Compare it with config/syncd.example.toml"


class SyncdError(Exception):
    """Something went wrong in syncd."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in the configuration: where (`account[shop].buffer`), what, and what to do about it."""

    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.key}: " if self.key else ""
        return f"{where}{self.problem}. {self.remedy}"


class ConfigError(SyncdError):
    """The configuration cannot be used; `problems` lists everything found, not only the first."""

    def __init__(self, path: Path, problems: Iterable[ConfigProblem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n  ".join([f"{path}: {count}", *map(str, self.problems)]))


def place_name(raw: object, place: Place) -> str:
    """A place as people find it: `account[shop].buffer`, or `account[0].buffer` where the keys do not tell."""
    text, node = "", raw
    for step in place:
        if isinstance(step, int):
            entries = node if isinstance(node, list | tuple) else ()
            keys = [entry.get("key", entry.get("name")) if isinstance(entry, Mapping) else None for entry in entries]
            node = entries[step] if step < len(entries) else None
            key = keys[step] if step < len(keys) else None
            text += f"[{key}]" if isinstance(key, str) and keys.count(key) == 1 else f"[{step}]"
        else:
            node = node.get(step) if isinstance(node, Mapping) else None
            text += f".{step}" if text else step
    return text


def leaves(node: object, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every single value of raw tables, with its place."""
    if isinstance(node, Mapping):
        steps: Iterable[tuple[int | str, object]] = node.items()
    elif isinstance(node, list | tuple):
        steps = enumerate(node)
    else:
        yield place, node
        return
    for step, child in steps:
        yield from leaves(child, (*place, step))


def dotted(place: Place) -> str:
    """A place without its indexes: `account.shopify.base_url`."""
    return ".".join(step for step in place if isinstance(step, str))


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy for a name that is not known: the nearest one that is, else `otherwise`."""
    nearest = get_close_matches(name, list(known), n=1)
    return f"Did you mean {nearest[0]}?" if nearest else otherwise


def explain(kind: str, message: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """A seller's words for one of pydantic's kinds of errors: the problem and the remedy."""
    problem, remedy = _WORDS.get(kind, ("{message}", EXAMPLE))
    return problem.format(message=message, **context), remedy.format(**context)


_WORDS: Final = {
    "missing": ("is missing", "Add it; config/syncd.example.toml shows how"),
    "string_type": ("must be text", "Put it in quotes"),
    "string_too_short": ("must not be empty", "Write something, or leave the key out if it may be missing"),
    "int_type": ("must be a whole number", "Write digits, without quotes and decimals"),
    "float_type": ("must be a number", "Write digits, without quotes"),
    "finite_number": ("must be a finite number", "Write digits"),
    "greater_than": ("must be above {gt:g}", "Write a larger number"),
    "greater_than_equal": ("must be at least {ge}", "Write a larger number"),
    "less_than_equal": ("must be at most {le}", "Write a smaller number"),
    "enum": ("must be {expected}", "Write one of these, in quotes"),
    "literal_error": ("must be {expected}", "Write one of these, in quotes"),
    "path_type": ("must be text", "Put it in quotes"),
    "tuple_type": ("must be a list", "Put it in brackets: a table begins with [[...]], a list of values is [...]"),
    "model_type": ("must be a table", "Begin it with a line [...], or [[...]] where there may be several"),
}
