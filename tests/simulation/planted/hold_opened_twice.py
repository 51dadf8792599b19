"""A shortfall is held twice: two units are kept back for the one that is missing.

In real life: the answer of a read is taken in by the reader and once more by who repeats what failed. The order, when
it comes, ends one of the two holds; the other one hides a unit that nobody has bought, for as long as holds last.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from unittest import mock

from sqlalchemy import Connection

from syncd.publishing.cells import Reading
from syncd.publishing.store import reads
from syncd.publishing.store.rows import Rules

_hold_back = reads._hold_back


def _twice(connection: Connection, rules: Rules, held: Mapping[int, Reading], now: datetime) -> None:
    _hold_back(connection, rules, held, now)
    _hold_back(connection, rules, held, now)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(reads, "_hold_back", _twice)
