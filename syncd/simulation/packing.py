"""The packing table of the warehouses without an API: what is there is sent, what stays missing is given up."""

from __future__ import annotations

import asyncio
import functools
import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import Connection, select

from adapters.contract import Clock
from syncd.db.database import Database
from syncd.db.tables import order_line, reservation, sales_order, shortage, warehouse
from syncd.simulation.shoppers import Taken

_LOOK_EVERY_S = 60.0
_SHIP_AFTER_S = 900.0
_AGAIN_AFTER_S = 3600.0


class Standing(Enum):
    """What can be done about an order."""

    SEND = auto()  # everything lies here
    WAIT = auto()  # units are missing, or the book does not know it yet
    ELSEWHERE = auto()  # somebody else's warehouse has a part in it


@dataclass(frozen=True, slots=True, order=True)
class _Parcel:
    due_at: datetime
    number: int
    taken: Taken = field(compare=False)


class PackingTable:
    """Sends each order some time after it was bought; `give_up_after_s`: what still lacks units then is cancelled."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        parcels: asyncio.Queue[Taken],
        accounts: Mapping[str, int],
        by_hand: Collection[str],
        *,
        give_up_after_s: float = 12 * 3600.0,
        shipped: Callable[[Taken], None] = lambda taken: None,
        given_up: Callable[[Taken], None] = lambda taken: None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._parcels = parcels
        self._accounts = accounts
        self._by_hand = frozenset(by_hand)
        self._give_up_after = timedelta(seconds=give_up_after_s)
        self._shipped = shipped
        self._given_up = given_up
        self._open: list[_Parcel] = []
        self._numbered = 0

    async def pack(self) -> None:
        """Pack what is due, for ever."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            while not self._parcels.empty():
                taken = self._parcels.get_nowait()
                self._lay(taken, taken.at + timedelta(seconds=_SHIP_AFTER_S))
            while self._open and self._open[0].due_at <= self._clock.now():
                await self._look_at(heapq.heappop(self._open).taken)

    def _lay(self, taken: Taken, due_at: datetime) -> None:
        self._numbered += 1
        heapq.heappush(self._open, _Parcel(due_at, self._numbered, taken))

    async def _look_at(self, taken: Taken) -> None:
        read = functools.partial(standing, by_hand=self._by_hand)
        found = await self._db.read(read, self._accounts[taken.shop.key], taken.name)
        if found is Standing.SEND:
            if await taken.shop.fulfil(taken.order_id):
                self._shipped(taken)
        elif found is Standing.WAIT and self._clock.now() - taken.at < self._give_up_after:
            self._lay(taken, self._clock.now() + timedelta(seconds=_AGAIN_AFTER_S))
        elif found is Standing.WAIT and await taken.shop.cancel(taken.order_id, restock=False):
            self._given_up(taken)


def standing(connection: Connection, account_id: int, name: str, by_hand: frozenset[str]) -> Standing:
    """How an order stands in the book."""
    lines = (
        select(order_line.c.id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .where(sales_order.c.account_id == account_id, sales_order.c.name == name)
    )
    keys = connection.execute(
        select(warehouse.c.key)
        .join(reservation, reservation.c.warehouse_id == warehouse.c.id)
        .where(reservation.c.order_line_id.in_(lines), reservation.c.quantity > 0)
    )
    places = set(keys.scalars())
    if places - by_hand:
        return Standing.ELSEWHERE
    missing = connection.execute(
        select(shortage.c.id)
        .where(shortage.c.order_line_id.in_(lines), shortage.c.closed_at.is_(None), shortage.c.quantity > 0)
        .limit(1)
    ).first()
    return Standing.SEND if places and missing is None else Standing.WAIT
