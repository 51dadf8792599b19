"""The answer of a statement that went straight to the driver, read as SQLAlchemy's own is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

Wrong = Callable[[int], Exception]
"""What to raise when a statement met so many rows and not those expected."""


class Fetched(IteratorResult[*tuple[Any, ...]]):
    """The rows of one run and how many it met; where it was sent ahead, whoever looks at either waits for them."""

    def __init__(
        self, metadata: SimpleResultMetaData, rows: Iterable[tuple[Any, ...]], rowcount: Callable[[], int]
    ) -> None:
        super().__init__(metadata, iter(rows))
        self._count = rowcount

    @property
    def rowcount(self) -> int:
        return self._count()

    def expect(self, rows: int, wrong: Wrong) -> None:
        """Raise `wrong` when there are not so many."""
        if self.rowcount != rows:
            raise wrong(self.rowcount)


Answer = CursorResult[*tuple[Any, ...]] | Fetched
