"""Read a warehouse's own levels, and book them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from adapters.contract import AdapterError, Clock
from adapters.warehouse import StockRow, StockSource
from syncd.db.database import Transactor
from syncd.db.lease import Lease, guard
from syncd.fulfilment.cursors import STOCK, move_cursor
from syncd.fulfilment.reach import Reach
from syncd.stock.snapshot import SnapshotBooked
from syncd.stock.snapshot_store import book_snapshot, resolve_codes, tell_unread
from syncd.stock.unnamed import note_named

_CHUNK: Final = 200
_CODES: Final = 1_000
_DEAF_AFTER: Final = 2  # one missed poll is worth waiting a read for; a lowering must not wait longer

_Dated = tuple[datetime, StockRow]


@dataclass(frozen=True, slots=True)
class Heard:
    """What could be heard of shipments. `unsure`: the SKUs of those whose news could not be booked."""

    complete: bool = True
    unsure: frozenset[int] = frozenset()


class StockReader:
    """Reads the levels of one warehouse. A read that breaks off books nothing; the next one does.

    `hear_shipments` books what became of shipments. Where that is not known, levels are only ever lowered.
    """

    def __init__(
        self,
        warehouse_id: int,
        key: str,
        source: StockSource,
        db: Transactor,
        clock: Clock,
        lease: Callable[[], Lease],
        reach: Reach | None = None,
        hear_shipments: Callable[[], Awaitable[Heard]] | None = None,
    ) -> None:
        self._warehouse_id = warehouse_id
        self._key = key
        self._source = source
        self._db = db
        self._clock = clock
        self._lease = lease
        self._reach = reach or Reach(warehouse_id, key, db, clock, lease)
        self._hear_shipments = hear_shipments
        self._turn = asyncio.Lock()
        self._deaf = 0  # reads in a row before which shipments could not be heard of
        self.last_stock_at: datetime | None = None

    async def read_stock(self) -> bool:
        """Read and book every level once. Returns whether any has changed."""
        async with self._turn:
            try:
                told = [(page.as_of, row) async for page in self._source.read_stock() for row in page.rows]
            except AdapterError as err:
                await self._reach.failed("stock", err)
                return False
            # What the warehouse has cancelled by itself is free again in these levels: first hear of that, or the
            # same pieces are counted as kept for us once more.
            heard = await self._hear_shipments() if self._hear_shipments is not None else Heard()
            self._deaf = 0 if heard.complete else self._deaf + 1
            if 0 < self._deaf < _DEAF_AFTER:
                return False
            skus = await self._resolve(sorted({row.warehouse_sku for _, row in told}))
            unsure = heard.unsure if heard.complete else frozenset(skus.values())
            booked = await self._book(told, skus, unsure)
            await self._db.transact(
                _finish,
                self._lease(),
                self._warehouse_id,
                self._key,
                booked,
                _named(told, skus),
                _oldest(told),
                self._clock.now(),
            )
            self.last_stock_at = self._clock.now()
            await self._reach.worked("stock")
            return booked.changed > 0

    async def _resolve(self, codes: Sequence[str]) -> dict[str, int]:
        skus: dict[str, int] = {}
        for begin in range(0, len(codes), _CODES):
            skus |= await self._db.read(resolve_codes, codes[begin : begin + _CODES])
        return skus

    async def _book(self, told: Sequence[_Dated], skus: Mapping[str, int], unsure: frozenset[int]) -> SnapshotBooked:
        booked = SnapshotBooked()
        for as_of, rows in _chunks(told, skus):
            done = await self._db.transact(
                _book_rows, self._lease(), self._warehouse_id, as_of, rows, self._clock.now(), unsure
            )
            booked = booked.plus(done)
        unknown = tuple(sorted({row.warehouse_sku for _, row in told if row.warehouse_sku not in skus}))
        return booked.plus(SnapshotBooked(unknown=unknown))


def _chunks(told: Sequence[_Dated], skus: Mapping[str, int]) -> Iterator[tuple[datetime, tuple[StockRow, ...]]]:
    """Rows of the same instant, all of a SKU together: as old as the oldest of them."""
    by_sku: dict[int, list[_Dated]] = {}
    for as_of, row in told:
        if row.warehouse_sku in skus:
            by_sku.setdefault(skus[row.warehouse_sku], []).append((as_of, row))
    by_instant: dict[datetime, list[Sequence[_Dated]]] = {}
    for sku_id in sorted(by_sku):
        by_instant.setdefault(min(as_of for as_of, _ in by_sku[sku_id]), []).append(by_sku[sku_id])
    for as_of, groups in sorted(by_instant.items()):
        for begin in range(0, len(groups), _CHUNK):
            yield as_of, tuple(row for group in groups[begin : begin + _CHUNK] for _, row in group)


def _named(told: Sequence[_Dated], skus: Mapping[str, int]) -> frozenset[int]:
    """SKUs with a level that can be believed."""
    known = [(skus[row.warehouse_sku], row.problem) for _, row in told if row.warehouse_sku in skus]
    return frozenset({sku_id for sku_id, _ in known} - {sku_id for sku_id, problem in known if problem is not None})


def _oldest(told: Sequence[_Dated]) -> datetime | None:
    return min((as_of for as_of, _ in told), default=None)


def _book_rows(
    connection: Connection,
    lease: Lease,
    warehouse_id: int,
    as_of: datetime,
    rows: Sequence[StockRow],
    now: datetime,
    unsure: frozenset[int],
) -> SnapshotBooked:
    guard(connection, lease)
    return book_snapshot(connection, warehouse_id, as_of, rows, now, unsure)


def _finish(
    connection: Connection,
    lease: Lease,
    warehouse_id: int,
    key: str,
    booked: SnapshotBooked,
    named: frozenset[int],
    as_of: datetime | None,
    now: datetime,
) -> None:
    guard(connection, lease)
    note_named(connection, warehouse_id, named, as_of or now, now)
    tell_unread(connection, warehouse_id, key, booked, now)
    if as_of is not None:
        move_cursor(connection, warehouse_id, STOCK, as_of, now)
