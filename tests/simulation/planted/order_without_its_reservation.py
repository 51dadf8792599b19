"""Order row and reservation in two transactions: the order is committed first, and then what it reserves.

In real life: two repositories, each with a transaction of its own. When the power goes between the two, the order is
there, its news are settled, and its units are still on sale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest import mock

from sqlalchemy import Connection

from syncd.orders.apply import Applied
from syncd.orders.book import AccountView, Incoming
from syncd.orders.intake import Intake
from syncd.orders.store import record
from syncd.orders.store.order_rows import give_ids, record_lines, record_orders
from syncd.orders.take_in import apply_batch

_Half = tuple[Any, ...]


def _save_orders(
    connection: Connection,
    batch: Sequence[Incoming],
    views: Mapping[int, AccountView],
    now: datetime,
    rest: list[_Half],
) -> tuple[Applied, ...]:
    def orders_alone(connection: Connection, changes: Any, *others: Any) -> None:
        give_ids(connection, changes)
        record_orders(connection, changes, now)
        record_lines(connection, changes)
        rest.append((changes, *others))

    rest.clear()
    with mock.patch("syncd.orders.apply.record_changes", orders_alone):
        return apply_batch(connection, batch, views, now)


def _save_reservations(connection: Connection, rest: Sequence[_Half]) -> None:
    with mock.patch.object(record, "record_orders"):
        for changes, ledger, accounts, now in rest:
            record.record_changes(connection, changes, ledger, accounts, now)


async def _apply(intake: Intake, batch: Sequence[Incoming]) -> None:
    if not batch:
        return
    rest: list[_Half] = []
    now = intake._clock.now()
    applied = await intake._db.transact(_save_orders, tuple(batch), intake._views, now, rest)
    await intake._db.transact(_save_reservations, rest)
    intake._tell(applied)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Intake, "_apply", _apply)
