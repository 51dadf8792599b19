"""SQLite's statement_timeout: a transaction that takes a minute, Python's part of it included, is broken off.

Everybody else waits for SQLite's one writer, so that a statement that never ends would stop the daemon, without an
error that anybody could tell. SQLite itself has no limit; it asks back while a statement runs, and what is told to
stop fails as `interrupted`: the transaction is rolled back, and nobody repeats it. Nor may anybody catch the error
within the transaction and go on: each further statement would commit by itself.
"""

from __future__ import annotations

import sqlite3
import time  # noqa: TID251 - how long a transaction takes, whatever the seller's clock says
from collections.abc import MutableMapping
from typing import Any, Final

LIMIT_S = 60.0
"""Longer than any transaction of ours takes on a slow disk."""
_ASKED_EVERY: Final = 1_000_000  # of SQLite's instructions, some fifty milliseconds: asking costs nothing measurable
_SINCE: Final = "first_asked"


def limit(connection: sqlite3.Connection, info: MutableMapping[Any, Any]) -> None:
    """Have a new connection break off what takes too long; `info` is what its pool keeps beside it.

    Time runs from when a transaction is first asked: what is short never looks at a clock.
    """

    def is_used_up() -> bool:
        now = time.monotonic()
        since: float = info.setdefault(_SINCE, now)
        return now - since > LIMIT_S

    connection.set_progress_handler(is_used_up, _ASKED_EVERY)


def begin(info: MutableMapping[Any, Any]) -> None:
    """A transaction begins: it has all the time there is."""
    info.pop(_SINCE, None)
