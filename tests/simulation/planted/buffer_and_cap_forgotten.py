"""What an account keeps back, and the most that it shows, are not looked at when its number is worked out.

In real life: the setting is on the page and in the table, and a second way to work out the number does not know of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from syncd.publishing.sellable import ComponentStock, Sellable, sellable


def _all_of_it(components: tuple[ComponentStock, ...], buffer: int, cap: int | None) -> Sellable:
    return sellable(components, 0, None)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.load.sellable", _all_of_it)
