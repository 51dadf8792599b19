"""Pages of long lists by key: a page goes on where the last one ended, whatever has come in meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.sql import ColumnCollection

T = TypeVar("T")
Keep = Callable[[ColumnCollection[str, Any]], ColumnElement[bool]]

NEWEST = 2**62
"""Above every id: where a list of the newest begins."""

LOOKED_AT = 10_000
"""So many rows a page looks at in search of what no index finds; then it ends, maybe short, and the next goes on."""


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some rows in order of their ids, and the id that the next page begins behind; None: there is no more."""

    rows: tuple[T, ...]
    after: int | None


def take_ids(
    connection: Connection, source: Select[Any], keep: Keep | None, limit: int, *, newest_first: bool
) -> Slice[int]:
    """Ids of `source`, which an index gives in order of its column `id`; with `keep` only of rows that pass it."""
    order = source.selected_columns["id"]
    ordered = source.order_by(order.desc() if newest_first else order.asc())
    if keep is None:
        ids = [int(row.id) for row in connection.execute(ordered.limit(limit + 1))]
        return _cut(ids, limit, None)
    window = ordered.limit(LOOKED_AT).subquery("looked_at")
    wanted = select(window.c.id).where(keep(window.c))
    wanted = wanted.order_by(window.c.id.desc() if newest_first else window.c.id.asc()).limit(limit + 1)
    ids = [int(each) for each in connection.execute(wanted).scalars()]
    last = func.min(window.c.id) if newest_first else func.max(window.c.id)
    end, seen = connection.execute(select(last, func.count()).select_from(window)).one()
    return _cut(ids, limit, int(end) if seen == LOOKED_AT else None)


def _cut(ids: list[int], limit: int, after: int | None) -> Slice[int]:
    """The page, from up to one row more than it holds."""
    if len(ids) > limit:
        return Slice(tuple(ids[:limit]), ids[limit - 1])
    return Slice(tuple(ids), after)
