"""The packing table of the warehouses without an API: what is there is sent, what stays missing is given up."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from adapters.contract import Clock
from syncd.db.database import Database
from syncd.db.tables import order_line, reservation, sales_order, sku, warehouse
from syncd.simulation.shelves import Place, Shelves
from syncd.simulation.shoppers import Taken

_LOOK_EVERY_S = 60.0
_SHIP_AFTER_S = 900.0
_AGAIN_AFTER_S = 3600.0
_GIVE_UP_AFTER = timedelta(hours=12)

Lines = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True, order=True)
class _Parcel:
    due_at: datetime
    number: int
    taken: Taken = field(compare=False)


class PackingTable:
    """Sends each order some time after it was bought, from where the book has reserved it; only whole orders.

    `lines_of` tells what an order is to have by now; one that still lacks units after half a day the seller cancels.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        parcels: asyncio.Queue[Taken],
        accounts: Mapping[str, int],
        shelves: Shelves,
        lines_of: Callable[[Taken], Lines],
        *,
        shipped: Callable[[Taken], None] = lambda taken: None,
        given_up: Callable[[Taken], None] = lambda taken: None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._parcels = parcels
        self._accounts = accounts
        self._shelves = shelves
        self._lines_of = lines_of
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
        async with self._shelves.hands:
            wanted = self._shelves.pieces_of(self._lines_of(taken))
            picks = await self._db.read(read_picks, self._accounts[taken.shop.key], taken.name)
            if not wanted or any(key not in self._shelves.by_hand for _, key in picks):
                return  # nothing is wanted any more, or somebody else's warehouse has a part in it
            if _by_sku(picks) == wanted and self._shelves.hold(picks):
                await self._send(taken, picks)
                return
        if self._clock.now() - taken.at < _GIVE_UP_AFTER:
            self._lay(taken, self._clock.now() + timedelta(seconds=_AGAIN_AFTER_S))
        elif await taken.shop.cancel(taken.order_id, restock=False):
            self._given_up(taken)

    async def _send(self, taken: Taken, picks: Mapping[Place, int]) -> None:
        if await taken.shop.fulfil(taken.order_id):
            self._shelves.leave(picks)
            self._shipped(taken)


def read_picks(connection: Connection, account_id: int, name: str) -> dict[Place, int]:
    """What the book has reserved for an order, wherever."""
    found = connection.execute(
        select(sku.c.code, warehouse.c.key, reservation.c.quantity)
        .join(sku, sku.c.id == reservation.c.sku_id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .where(sales_order.c.account_id == account_id, sales_order.c.name == name, reservation.c.quantity > 0)
        .order_by(sku.c.code, warehouse.c.key)
    )
    picks: dict[Place, int] = {}
    for row in found:
        picks[(row.code, row.key)] = picks.get((row.code, row.key), 0) + row.quantity
    return picks


def _by_sku(picks: Mapping[Place, int]) -> dict[str, int]:
    pieces: dict[str, int] = {}
    for (code, _), quantity in picks.items():
        pieces[code] = pieces.get(code, 0) + quantity
    return pieces
