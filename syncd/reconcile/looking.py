"""Turn what a check gave into findings, and ask the checks again of what was found before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from syncd.reconcile.causes import look_into, told
from syncd.reconcile.checks import Check
from syncd.reconcile.concerned import read_concerned
from syncd.reconcile.pages import Row, read_named
from syncd.reconcile.violation import Violation

LOOKED_INTO: Final = 20
"""Violations of one page whose cause is looked into; of the others the rule itself says the likeliest."""

_WEIGHED: Final = 20
"""Keys that a check is asked of at once where one key may stand for many rows."""

Named = tuple[str, str]
"""(rule, its subject as JSON): what a finding is looked up by again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, what it is looked up by again, and the SKUs it concerns. `looked`: into its movements."""

    named: Named
    violation: Violation
    sku_ids: tuple[int, ...]
    looked: bool = True


def look_at(
    connection: Connection, check: Check, broken: Sequence[Row], looked_into: int = LOOKED_INTO
) -> tuple[Found, ...]:
    """Each violation with its likely cause and the SKUs it concerns; only the first ones are looked into."""
    concerned = read_concerned(connection, broken)
    return tuple(
        Found(
            (check.rule, subject_of(check, row)),
            Violation.of(check, row, look_into(connection, check, row) if at < looked_into else told(check, row)),
            concerned[at],
            at < looked_into,
        )
        for at, row in enumerate(broken)
    )


def subject_of(check: Check, row: Mapping[str, Any]) -> str:
    return msgspec.json.encode([row[name] for name in check.subject]).decode()


def in_turns(named: Sequence[Named]) -> Iterator[tuple[str, tuple[Named, ...]]]:
    """(rule, all of them that are of that rule), in the order given."""
    for rule, several in groupby(named, itemgetter(0)):
        yield rule, tuple(several)


def look_again(
    connection: Connection, check: Check, named: Sequence[Named], looked_into: int = LOOKED_INTO
) -> tuple[tuple[Found, ...], tuple[Named, ...]]:
    """What is still so of these findings of a check, and which are gone."""
    keys: list[tuple[Any, ...]] = [tuple(msgspec.json.decode(subject)) for _, subject in named]
    at_once = len(keys) if check.weight == "1" else _WEIGHED
    broken = [
        row
        for begin in range(0, len(keys), at_once)
        for row in read_named(connection, check, tuple(check.subject.values()), keys[begin : begin + at_once])
    ]
    still = look_at(connection, check, broken, looked_into)
    known = {each.named for each in still}
    return still, tuple(each for each in named if each not in known)
