"""An entry whose answer got lost is sent again, and booked again: its key is drawn where it is stored.

In real life: a number that the database gives instead of the person who enters something. Ten pieces came, and twenty
are for sale.
"""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest import mock

from syncd.stock import entries
from syncd.stock.entries import Entry

_ROW = entries._row
_NUMBERS = itertools.count(1)


def _with_a_new_key(entry: Entry, now: datetime) -> tuple[Any, ...]:
    key, *rest = _ROW(entry, now)
    return (f"{key}/{next(_NUMBERS)}", *rest)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(entries, "_row", _with_a_new_key)
