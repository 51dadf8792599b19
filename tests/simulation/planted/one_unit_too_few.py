"""One unit of everything is kept back although nobody asked for it: "a small buffer cannot hurt".

In real life: a constant buffer that nobody remembers. The last unit of every SKU is never sold, and no number is ever
too high, so that nothing looks wrong.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from syncd.publishing.sellable import ComponentStock, Sellable, sellable


def _one_less(components: tuple[ComponentStock, ...], buffer: int, cap: int | None) -> Sellable:
    found = sellable(components, buffer, cap)
    return replace(found, quantity=max(0, found.quantity - 1))


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.load.sellable", _one_less)
