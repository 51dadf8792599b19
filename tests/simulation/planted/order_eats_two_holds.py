"""An order ends every hold that it could explain, and not as many units as it has.

In real life: "delete the holds of this time". Two purchases hide in the same minutes, one of them is listed, and the
unit of the other is on sale again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from syncd.publishing.cells import Sale
from syncd.publishing.held import HeldUnits


def _all_of_them(holds: Sequence[HeldUnits], sales: Sequence[Sale]) -> list[HeldUnits]:
    explained = [any(sale.d_max > 0 and each.explained_by(sale) for sale in sales) for each in holds]
    return [replace(each, quantity=0) if ended else each for each, ended in zip(holds, explained, strict=True)]


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.marks.eat", _all_of_them)
