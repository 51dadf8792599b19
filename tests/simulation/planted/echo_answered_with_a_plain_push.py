"""News of a number are answered by writing the number that it should be, whether or not it is that already.

In real life: "on every inventory webhook, push". Each of our own writes comes back as news and is written once more;
the quota goes into numbers that are right, and where a channel tells of such writes too it never ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest import mock

from sqlalchemy import Connection, select

from syncd.db.tables import listing, listing_component
from syncd.orders.take_in import NumberHint, weigh_hints
from syncd.publishing.cells import Cell, Choice, Step, choose
from syncd.publishing.marks import mark_dirty


@contextmanager
def planted() -> Iterator[None]:
    told: set[int] = set()

    def weigh_and_push(connection: Connection, hints: Sequence[NumberHint], now: datetime) -> int:
        for hint in hints:
            found = select(listing.c.id, listing_component.c.sku_id).join(
                listing_component, listing_component.c.listing_id == listing.c.id
            )
            own = (listing.c.account_id == hint.account_id) & (listing.c.channel_sku == hint.channel_sku)
            for row in connection.execute(found.where(own)):
                told.add(row.id)
                mark_dirty(connection, {row.sku_id: None}, now, urgency=0)
        return weigh_hints(connection, hints, now)

    def push(cell: Cell, target: int, **rest: Any) -> Choice:
        choice = choose(cell, target, **rest)
        if choice.step is not Step.NOTHING or cell.listing_id not in told:
            return choice
        told.discard(cell.listing_id)
        return Choice(Step.WRITE, "it was told of", target, cell.hi)

    with (
        mock.patch("syncd.orders.hints.weigh_hints", weigh_and_push),
        mock.patch("syncd.publishing.store.claim.choose", push),
    ):
        yield
