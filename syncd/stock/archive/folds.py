"""What files of movements sum up to, level by level, kept outside memory: there may be millions of levels."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final

from syncd.stock.archive.store import Fold
from syncd.stock.ledger import LevelKey

Sums = tuple[int, int, int, int]
"""(seq, on_hand, unavailable, reserved)"""

_TABLES: Final = """
    CREATE TABLE fold (sku_id INT, warehouse_id INT, seq INT, on_hand INT, unavailable INT, reserved INT,
                       PRIMARY KEY (sku_id, warehouse_id)) WITHOUT ROWID;
    CREATE TABLE base (sku_id INT, warehouse_id INT, seq INT, on_hand INT, unavailable INT, reserved INT,
                       PRIMARY KEY (sku_id, warehouse_id)) WITHOUT ROWID;
"""
_DIFFERENT: Final = """
    SELECT b.sku_id, b.warehouse_id, b.seq, b.on_hand, b.unavailable, b.reserved,
           coalesce(f.seq, 0), coalesce(f.on_hand, 0), coalesce(f.unavailable, 0), coalesce(f.reserved, 0)
    FROM base b LEFT JOIN fold f ON f.sku_id = b.sku_id AND f.warehouse_id = b.warehouse_id
    WHERE f.seq IS NOT b.seq OR f.on_hand IS NOT b.on_hand OR f.unavailable IS NOT b.unavailable
      OR f.reserved IS NOT b.reserved
    UNION ALL
    SELECT f.sku_id, f.warehouse_id, 0, 0, 0, 0, f.seq, f.on_hand, f.unavailable, f.reserved
    FROM fold f WHERE NOT EXISTS (SELECT 1 FROM base b WHERE b.sku_id = f.sku_id AND b.warehouse_id = f.warehouse_id)
    ORDER BY 1, 2
"""


class Folds:
    """Folds of files, and the bases they must be, in a database that is gone when it is closed."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("", isolation_level=None)  # a nameless file of SQLite's own, in memory while small
        self._kept.executescript(_TABLES)

    def __enter__(self) -> Folds:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._kept.close()

    def of(self, key: LevelKey) -> Fold:
        """What files so far sum up to; empty for a level that none has named."""
        wanted = "SELECT seq, on_hand, unavailable, reserved FROM fold WHERE sku_id = ? AND warehouse_id = ?"
        found = self._kept.execute(wanted, key).fetchone()
        return Fold(*found) if found else Fold(0)

    def keep(self, folds: Mapping[LevelKey, Fold]) -> None:
        rows = [(*key, each.seq, each.on_hand, each.unavailable, each.reserved) for key, each in folds.items()]
        self._put("fold", rows)

    def expect(self, bases: Sequence[tuple[int, ...]]) -> None:
        """Rows of (sku_id, warehouse_id, seq, on_hand, unavailable, reserved) that the files must sum up to."""
        self._put("base", bases)

    def different(self) -> Iterator[tuple[LevelKey, Sums, Sums]]:
        """(level, what is expected, what the files say) wherever both differ."""
        for row in self._kept.execute(_DIFFERENT):
            yield (row[0], row[1]), row[2:6], row[6:10]

    def _put(self, table: str, rows: Sequence[tuple[int, ...]]) -> None:
        self._kept.execute("BEGIN")
        self._kept.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._kept.execute("COMMIT")
