"""What somebody asked for and nobody knows, with the names nearest to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import Column, Connection, select

from syncd.errors import SyncdError

_AROUND = 50
_TOLD = 3
_LIKE = 0.5


class Unknown(SyncdError):
    """Nothing goes by this name; `nearest` are names that are known and look like it."""

    def __init__(self, what: str, name: str, nearest: Sequence[str], otherwise: str) -> None:
        self.what = what
        self.name = name
        self.nearest = tuple(nearest)
        self.remedy = f"Did you mean {' or '.join(nearest)}?" if nearest else otherwise
        super().__init__(f"no {what} goes by {name!r}. {self.remedy}")


class Ambiguous(SyncdError):
    """Several things go by this name."""

    def __init__(self, what: str, name: str, found: Sequence[str], remedy: str) -> None:
        self.what = what
        self.name = name
        self.remedy = remedy
        super().__init__(f"{len(found)} {what}s go by {name!r} ({', '.join(found)}). {remedy}")


def near(connection: Connection, column: Column[Any], name: str, *where: Any) -> list[str]:
    """Values of an indexed column that stand next to a name in its order: a slip at the end of a code stays near."""
    values: set[str] = set()
    for stands, order in ((column <= name, column.desc()), (column > name, column.asc())):
        found = connection.execute(select(column).where(stands, *where).order_by(order).limit(_AROUND))
        values.update(str(each) for each in found.scalars() if each is not None)
    return alike(name, values)


def alike(name: str, known: Iterable[str]) -> list[str]:
    """The few of these that look most like a name, best first."""
    wanted = name.casefold()
    rated = sorted(
        ((SequenceMatcher(None, wanted, each.casefold()).ratio(), each) for each in set(known)), reverse=True
    )
    return [each for ratio, each in rated[:_TOLD] if ratio >= _LIKE]
