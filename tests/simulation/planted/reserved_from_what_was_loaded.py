"""What a level has reserved is reckoned from the level as it was loaded: the last order of a batch undoes the others.

In real life: the lost update, by two threads, two processes, or two lines of one function. The counter says that
units are free which somebody is owed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from msgspec.structs import replace

from syncd.stock.ledger import Ledger, LevelKey

_POST = Ledger._post


def _forgetful(ledger: Ledger, key: LevelKey, *rest: Any, **more: Any) -> None:
    _POST(ledger, key, *rest, **more)
    loaded = ledger._before.get(key)
    if loaded is not None:
        reserved = loaded.reserved + ledger.movements[-1].d_reserved
        ledger._levels[key] = replace(ledger._levels[key], reserved=max(0, reserved))


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Ledger, "_post", _forgetful)
