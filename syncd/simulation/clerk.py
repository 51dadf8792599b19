"""What own people enter by hand (`syncd receive`, `transfer`, `adjust`): goods that came, were moved or are lost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.db.database import Database
from syncd.db.tables import sku, warehouse
from syncd.simulation.happenings import Arrival, Damage, Happenings
from syncd.simulation.shelves import Place, Shelves
from syncd.simulation.staff import Aside
from syncd.simulation.unbroken import unbroken
from syncd.simulation.world import World
from syncd.stock.entries import Entry, EntryKind, EntryRefused, book_entry

_KINDS = (EntryKind.RECEIPT, EntryKind.RETURN, EntryKind.TRANSFER, EntryKind.TRANSFER, EntryKind.ADJUSTMENT)
_MOST_PIECES = 4
_SENT_TWICE = 0.3  # of all entries: its answer got lost


@dataclass(frozen=True, slots=True)
class _Told:
    """What somebody is about to enter."""

    kind: EntryKind
    place: Place
    pieces: int
    to: Place
    twice: bool


class Clerk:
    """Enters something every `every_s` on average. What is sold is there before it is booked, and never after."""

    def __init__(
        self,
        world: World,
        db: Database,
        clock: Clock,
        happenings: Happenings,
        shelves: Shelves,
        aside: Aside,
        *,
        every_s: float,
    ) -> None:
        self._db = db
        self._clock = clock
        self._happenings = happenings
        self._shelves = shelves
        self._aside = aside
        self._every_s = every_s
        self._rng = SeededRng(world.seed, "clerk")
        self._places = sorted(place for place in world.stock if place[1] in world.by_hand)
        self._by_hand = sorted(world.by_hand)
        self._entered = 0

    async def enter(self) -> None:
        """Enter what came, was moved or is lost now and then, for ever."""
        while self._places:
            await self._clock.sleep(self._rng.uniform(0.5, 1.5) * self._every_s)
            await unbroken(self._enter(self._next()))

    def _next(self) -> _Told:
        place = self._places[self._rng.randrange(len(self._places))]
        to = (place[0], self._by_hand[self._rng.randrange(len(self._by_hand))])
        kind, pieces = _KINDS[self._rng.randrange(len(_KINDS))], 1 + self._rng.randrange(_MOST_PIECES)
        return _Told(kind, place, pieces, to, twice=self._rng.random() < _SENT_TWICE)

    async def _enter(self, told: _Told) -> None:
        async with self._shelves.hands:
            if told.kind in (EntryKind.RECEIPT, EntryKind.RETURN):
                self._moved({told.place: told.pieces})
                await self._book(told)
                return
            if not self._shelves.hold({told.place: told.pieces}):
                return
            if told.kind is EntryKind.ADJUSTMENT:
                await self._lose(told)
            elif told.to != told.place and await self._book(told):
                self._moved({told.place: -told.pieces, told.to: told.pieces}, within=True)

    async def _lose(self, told: _Told) -> None:
        """Pieces are found missing: those who bought them meanwhile were misled as by goods that broke."""
        if await self._book(told):
            sku_code, key = told.place
            now = self._clock.now()
            self._moved({told.place: -told.pieces})
            self._happenings.damages.append(Damage(key, sku_code, told.pieces, now, told_at=now, gone=True, lost=True))

    def _moved(self, pieces: dict[Place, int], *, within: bool = False) -> None:
        now = self._clock.now()
        self._shelves.arrive(pieces)
        self._happenings.arrivals += [Arrival(key, code, n, now, within) for (code, key), n in pieces.items()]

    async def _book(self, told: _Told) -> bool:
        """Whether it is booked; what is promised is not moved away, and what the book does not know cannot be lost."""
        self._entered += 1
        ids = await self._db.read(_ids, told.place[0])
        pieces = -told.pieces if told.kind is EntryKind.ADJUSTMENT else told.pieces
        to = ids[told.to[1]] if told.kind is EntryKind.TRANSFER else None
        entry = Entry(f"clerk {self._entered}", told.kind, ids[""], ids[told.place[1]], pieces, "a trial", "clerk", to)
        try:
            for _ in range(1 + told.twice):
                await self._aside(self._db.transact_now, book_entry, entry, self._clock.now())
        except EntryRefused:
            return False
        self._happenings.entered += 1
        return True


def _ids(connection: Connection, code: str) -> dict[str, int]:
    """The ids of all warehouses by their keys, and of a SKU by the empty one."""
    ids = {row.key: row.id for row in connection.execute(select(warehouse.c.key, warehouse.c.id))}
    return ids | {"": connection.execute(select(sku.c.id).where(sku.c.code == code)).scalar_one()}
