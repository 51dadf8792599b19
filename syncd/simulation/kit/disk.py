"""The disk under the daemon's database: for a while it may be full, damaged, or somebody else may hold its lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError


class Disk:
    """Full and locked are SQLite's own mishaps: the database may not grow, or a second connection has begun to write.

    Damaged is a page that only some work meets: each transaction named in `broken` fails, and all others succeed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.full = False
        self.broken: frozenset[str] = frozenset()
        self._holder: sqlite3.Connection | None = None

    @property
    def locked(self) -> bool:
        return self._holder is not None

    def lock(self) -> None:
        """Hold the write lock until `unlock`."""
        if self._holder is None:
            self._holder = sqlite3.connect(self._path, timeout=0.0, isolation_level=None)
            self._holder.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def calm(self) -> None:
        self.full = False
        self.broken = frozenset()
        self.unlock()

    @contextmanager
    def under(self, connection: Connection, name: str = "") -> Iterator[None]:
        """A write transaction: on a full disk it fails with SQLITE_FULL as soon as it needs another page.

        Raises DatabaseError, as SQLite does, where it meets the damaged page.
        """
        if name in self.broken:
            raise DatabaseError(name, None, sqlite3.DatabaseError("database disk image is malformed"))
        if not self.full:
            yield
            return
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        if free:  # room inside the file is room
            yield
            return
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        try:
            yield
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count=4294967294")
