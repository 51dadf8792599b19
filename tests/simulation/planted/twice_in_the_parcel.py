"""A warehouse is asked for each line twice: lines are joined to what they are made of, and the join repeats them.

In real life: a join over two of an order's tables whose rows multiply. The buyer gets two, and stock vanishes that the
book believes to be there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

from adapters.warehouse import ShipmentOrder
from syncd.fulfilment.due import NotSent, mark_sending


def _doubled(*given: Any) -> ShipmentOrder | NotSent:
    order = mark_sending(*given)
    if isinstance(order, NotSent):
        return order
    return replace(order, lines=tuple(replace(line, quantity=2 * line.quantity) for line in order.lines))


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.fulfilment.asking.mark_sending", _doubled)
