"""Ask a check of a page of its keys, or of the keys that are named: each is one short read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from syncd.reconcile.checks import Check
from syncd.reconcile.wording import say

BUDGET: Final = 100_000
"""Rows that the statement of one page may read, about."""

Key = tuple[int | str, ...]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of a check gave. `last` is the key to go on after; None when no key was left."""

    keys: int
    last: Key | None
    broken: tuple[Row, ...]


def read_page(connection: Connection, check: Check, after: Key | None) -> Page:
    """Ask a check of its next keys after `after`, as many as its page allows."""
    plan_for_few(connection)
    keys, last = find_edge(connection, check, after)
    if last is None:
        return Page(0, None, ())
    begin, bounds = _begin(check, after)
    bounds |= {f"upto_{position}": value for position, value in enumerate(last)}
    page = f"{begin} AND {_compared(check, '<=', 'upto')}"
    return Page(keys, last, _broken(connection, check, page, bounds))


def find_edge(connection: Connection, check: Check, after: Key | None) -> tuple[int, Key | None]:
    """How many keys the next page after `after` has, and the last of them; None when there is none."""
    begin, bounds = _begin(check, after)
    find = _even_edge if check.weight == "1" else _weighed_edge
    return find(connection, check, begin, bounds)


def _begin(check: Check, after: Key | None) -> tuple[str, dict[str, Any]]:
    bounds = {f"after_{position}": value for position, value in enumerate(after or ())}
    return _compared(check, ">", "after") if after else "1 = 1", bounds


def _even_edge(connection: Connection, check: Check, begin: str, bounds: Mapping[str, Any]) -> tuple[int, Key | None]:
    head = f"SELECT {', '.join(check.key)} FROM {check.table} WHERE {begin} ORDER BY"
    full = text(f"{head} {', '.join(check.key)} LIMIT 1 OFFSET :skipped")
    edge = connection.execute(full, {**bounds, "skipped": check.page - 1}).one_or_none()
    if edge is not None:
        return check.page, tuple(edge)
    rest = text(f"{head} {', '.join(f'{column} DESC' for column in check.key)} LIMIT 1")
    edge = connection.execute(rest, bounds).one_or_none()
    if edge is None:
        return 0, None
    counted = connection.execute(text(f"SELECT count(*) FROM {check.table} WHERE {begin}"), bounds)
    return int(counted.scalar_one()), tuple(edge)


def _weighed_edge(
    connection: Connection, check: Check, begin: str, bounds: Mapping[str, Any]
) -> tuple[int, Key | None]:
    """Where keys are not alike, the page ends where its statement would read too many rows."""
    names = ", ".join(f"k{position}" for position in range(len(check.key)))
    keys = ", ".join(f"{column} AS k{position}" for position, column in enumerate(check.key))
    edge = connection.execute(
        text(
            f"SELECT {names}, n FROM ("
            f" SELECT {names}, row_number() OVER (ORDER BY {names}) AS n, sum(CASE WHEN w < 0 THEN 0"
            f"  WHEN w <= :budget THEN w ELSE :budget END) OVER (ORDER BY {names} ROWS UNBOUNDED PRECEDING) AS heavy"
            f" FROM (SELECT {keys}, {check.weight} AS w FROM {check.table} WHERE {begin}"
            f"  ORDER BY {', '.join(check.key)} LIMIT :most) head"
            f") counted WHERE heavy <= :budget OR n = 1 ORDER BY n DESC LIMIT 1"
        ),
        {**bounds, "most": check.page, "budget": max(BUDGET, check.page)},
    ).one_or_none()
    if edge is None:
        return 0, None
    *last, keys_read = edge
    return int(keys_read), tuple(last)


def read_named(connection: Connection, check: Check, columns: Sequence[str], keys: Sequence[Key]) -> tuple[Row, ...]:
    """What breaks the rule among the rows of a check's table whose `columns` are one of `keys`."""
    if not keys:
        return ()
    plan_for_few(connection)
    if connection.dialect.name == "postgresql":
        kinds = ["text" if isinstance(part, str) else "bigint" for part in keys[0]]
        parts = ", ".join(f"CAST(each.value ->> {at} AS {kind})" for at, kind in enumerate(kinds))
        source = f"SELECT {parts} FROM jsonb_array_elements(CAST(:named AS jsonb)) AS each(value)"
    else:
        parts = ", ".join(f"json_extract(each.value, '$[{at}]')" for at in range(len(columns)))
        source = f"SELECT {parts} FROM json_each(:named) AS each"
    condition = f"({', '.join(columns)}) IN ({source})"
    return _broken(connection, check, condition, {"named": msgspec.json.encode(list(keys)).decode()})


def count_keys(connection: Connection, check: Check) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {check.table}")).scalar_one())


def plan_for_few(connection: Connection) -> None:
    """Asked of one page, PostgreSQL would rather read and hash the whole of the other table; a page is few keys.

    It is planned by its own bounds, and runs in one process: what it costs the others is known.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;"
                " SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL max_parallel_workers_per_gather = 0"
            )
        )


def _broken(connection: Connection, check: Check, page: str, bounds: Mapping[str, Any]) -> tuple[Row, ...]:
    statement = say(connection.dialect.name, check.statement, check.key, lambda _: page)
    found = (dict(row) for row in connection.execute(text(statement), bounds).mappings())
    if check.judge is None:
        return tuple(found)
    return tuple(wrong for row in found if (wrong := check.judge(row)) is not None)


def _compared(check: Check, operator: str, bound: str) -> str:
    columns = ", ".join(check.key)
    values = ", ".join(f":{bound}_{position}" for position in range(len(check.key)))
    return f"({columns}) {operator} ({values})"
