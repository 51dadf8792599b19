"""A release takes the next but one number of its level: "the first one may be taken already".

In real life: a number reserved in one place and given in another. Every sum is right, and whether a movement is missing
can never be said again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from msgspec.structs import replace

from syncd.stock.ledger import Ledger, LevelKey, MovementKind

_POST = Ledger._post


def _skipping(ledger: Ledger, key: LevelKey, kind: MovementKind, *rest: Any, **more: Any) -> None:
    _POST(ledger, key, kind, *rest, **more)
    if kind is MovementKind.RELEASE:
        level = ledger._levels[key] = replace(ledger._levels[key], seq=ledger._levels[key].seq + 1)
        ledger.movements[-1] = replace(ledger.movements[-1], seq=level.seq)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Ledger, "_post", _skipping)
