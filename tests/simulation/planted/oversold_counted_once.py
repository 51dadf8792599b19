"""What is oversold is counted when a SKU runs out, and not unit by unit.

In real life: the counter goes up where the first alert is opened. One order too many is told, and so are twenty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from syncd.orders import decide
from syncd.orders.book import AccountView, LineBook
from syncd.orders.change import OrderChange

_note_short = decide._note_short


@contextmanager
def planted() -> Iterator[None]:
    told: set[int] = set()

    def note_once(line: LineBook, account: AccountView, change: OrderChange, first_applied: bool) -> None:
        before = line.oversold
        _note_short(line, account, change, first_applied)
        newly, skus = line.oversold - before, {int(sku_id) for sku_id, _ in line.components}
        if newly and skus <= told:
            line.oversold -= newly
            change.oversold_units -= newly
        told.update(skus if newly else ())

    with mock.patch.object(decide, "_note_short", note_once):
        yield
