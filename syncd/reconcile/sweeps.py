"""Sweeps: rules about the same rows, asked in one pass behind one sieve.

A sieve is a cheap statement over a page of keys. It gives at least every key of which one of its rules may be broken;
only those are put to the rules themselves, which say what is wrong and why. So a book that is right is read once for
many rules. After the last key comes a page without an end, for what is left of rows that are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from syncd.reconcile.checks import Check
from syncd.reconcile.pages import Key, Row, find_edge, read_named, read_page
from syncd.reconcile.wording import say

_AT_ONCE: Final = 500
_WEIGHED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Sweep:
    """`pages` says over which table and keys it goes; `asked` are the rules, each with its columns for those keys."""

    pages: Check
    asked: tuple[tuple[Check, tuple[str, ...]], ...]
    sieve: str | None = None

    @property
    def name(self) -> str:
        return self.asked[0][0].rule

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(check.rule for check, _ in self.asked)

    def alone(self) -> Iterator[Sweep]:
        """Each of its rules for itself, without the sieve."""
        for check, _ in self.asked:
            yield sweep_of(check)


def sweep_of(check: Check) -> Sweep:
    """A rule that is asked of every key."""
    return Sweep(check, ((check, check.key),))


@dataclass(frozen=True, slots=True)
class Swept:
    """What one page of a sweep gave. `last` is the key to go on after; None when no key was left."""

    keys: int
    last: Key | None
    broken: tuple[tuple[Check, tuple[Row, ...]], ...]


def read_sweep(connection: Connection, sweep: Sweep, after: Key | None) -> Swept:
    """Ask the rules of a sweep about its next keys."""
    if sweep.sieve is None:
        ((check, _),) = sweep.asked
        page = read_page(connection, check, after)
        return Swept(page.keys, page.last, ((check, page.broken),) if page.broken else ())
    _plan_for_a_page(connection)
    keys, last = find_edge(connection, sweep.pages, after)
    doubtful = _sift(connection, sweep, sweep.sieve, after, last)
    broken = []
    for check, columns in sweep.asked if doubtful else ():
        if rows := tuple(_ask(connection, check, columns, doubtful)):
            broken.append((check, rows))
    return Swept(keys, last, tuple(broken))


def _sift(connection: Connection, sweep: Sweep, sieve: str, after: Key | None, last: Key | None) -> list[Key]:
    bounds: dict[str, Any] = {}
    for name, key in (("after", after), ("upto", last)):
        bounds |= {f"{name}_{at}": value for at, value in enumerate(key or ())}

    def page(columns: Sequence[str]) -> str:
        return " AND ".join([*_bound(columns, ">", "after", after), *_bound(columns, "<=", "upto", last)]) or "1 = 1"

    statement = say(connection.dialect.name, sieve, sweep.pages.key, page)
    return sorted({tuple(row) for row in connection.execute(text(statement), bounds)})


def _bound(columns: Sequence[str], operator: str, name: str, key: Key | None) -> list[str]:
    if key is None:
        return []
    values = [f":{name}_{at}" for at in range(len(columns))]
    whole = f"({', '.join(columns)}) {operator} ({', '.join(values)})"
    if len(columns) == 1:
        return [whole]
    # A planner can tell how much one column bounds, not how much a row of them does.
    return [whole, f"{columns[0]} {operator[0]}= {values[0]}"]


def _ask(connection: Connection, check: Check, columns: tuple[str, ...], keys: Sequence[Key]) -> Iterator[Row]:
    size = _AT_ONCE if check.weight == "1" else _WEIGHED_AT_ONCE
    for at in range(0, len(keys), size):
        yield from read_named(connection, check, columns, keys[at : at + size])


def _plan_for_a_page(connection: Connection) -> None:
    """PostgreSQL knows how much a page is from its bounds: plan for those, in one process, in memory."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off; SET LOCAL work_mem = '32MB';"
                " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_seqscan = off"
            )
        )
