"""A number below 0 is raised to 0: "nothing is sellable, so write 0".

In real life: `max(0, sellable)` compared with what the channel shows. The units that it owes are forgotten, and the
first one that comes back is sold a second time.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from syncd.publishing.cells import Cell, Choice, Step, choose


def _to_zero(cell: Cell, target: int, **rest: Any) -> Choice:
    choice = choose(cell, target, **rest)
    expected = cell.hi
    if choice.step is Step.NOTHING and expected is not None and expected < target:
        return Choice(Step.WRITE, "raise", target, expected)
    return choice


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.store.claim.choose", _to_zero)
