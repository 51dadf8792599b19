"""A shortfall is held back as one unit, however many are missing.

In real life: a mark on the listing, "something here is not explained", instead of how much. Somebody bought three, one
is held, and two are on sale again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from unittest import mock

from sqlalchemy import Connection

from syncd.publishing.cells import Reading
from syncd.publishing.store import reads
from syncd.publishing.store.rows import Rules

_hold_back = reads._hold_back


def _one_unit(connection: Connection, rules: Rules, held: Mapping[int, Reading], now: datetime) -> None:
    ones = {i: replace(each, held=1, doubtful=min(1, each.doubtful)) for i, each in held.items()}
    _hold_back(connection, rules, ones, now)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(reads, "_hold_back", _one_unit)
