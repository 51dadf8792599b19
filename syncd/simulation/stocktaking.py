"""What own people find on their shelves: they count one wrongly and later rightly, and now and then goods break."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.db.database import Database
from syncd.simulation.files import write_stock
from syncd.simulation.happenings import Arrival, Damage, Happenings, Miscount
from syncd.simulation.shelves import Place, Shelves
from syncd.simulation.staff import PAUSE_S, Aside
from syncd.simulation.unbroken import unbroken
from syncd.simulation.world import World
from syncd.stock.import_stock import import_stock

_FOUND_OUT_AFTER_S = (900.0, 5_400.0)
_THROWN_AWAY_AFTER_S = (1_800.0, 10_800.0)
_THROWN_AWAY = 0.5  # of what is broken; the rest stays where it is
_MOST_PIECES = 3


class Stocktaking:
    """Counts and finds, every `miscount_every_s` and every `damage_every_s` on average.

    A wrong count is imported like any other, and a right one follows, at the latest when the shop closes.
    """

    def __init__(
        self,
        world: World,
        db: Database,
        clock: Clock,
        folder: Path,
        happenings: Happenings,
        shelves: Shelves,
        aside: Aside,
        *,
        miscount_every_s: float,
        damage_every_s: float,
    ) -> None:
        self._db = db
        self._clock = clock
        self._folder = folder
        self._happenings = happenings
        self._shelves = shelves
        self._aside = aside
        self._miscount_every_s = miscount_every_s
        self._damage_every_s = damage_every_s
        self._places = sorted(place for place in world.stock if place[1] in world.by_hand)
        self._counting = SeededRng(world.seed, "stocktaking/counts")
        self._breaking = SeededRng(world.seed, "stocktaking/damage")
        self._wrong: dict[Place, Miscount] = {}
        self._imports = 0

    async def miscount(self) -> None:
        """Count a shelf wrongly now and then, and rightly once that is found out, for ever."""
        rng = self._counting
        async with asyncio.TaskGroup() as corrections:
            while self._places:
                await self._clock.sleep(rng.uniform(0.5, 1.5) * self._miscount_every_s)
                place = self._places[rng.randrange(len(self._places))]
                wrong_by = (1 + rng.randrange(_MOST_PIECES)) * (1 if rng.random() < 0.5 else -1)
                found_out_after_s = rng.uniform(*_FOUND_OUT_AFTER_S)
                if place not in self._wrong:
                    await unbroken(self._count_wrongly(place, wrong_by))
                    corrections.create_task(self._correct_later(place, found_out_after_s))

    async def damage(self) -> None:
        """Find goods broken now and then, and throw some of them away later, for ever."""
        rng = self._breaking
        async with asyncio.TaskGroup() as bins:
            while self._places:
                await self._clock.sleep(rng.uniform(0.5, 1.5) * self._damage_every_s)
                place = self._places[rng.randrange(len(self._places))]
                pieces = 1 + rng.randrange(_MOST_PIECES)
                thrown_away, after_s = rng.random() < _THROWN_AWAY, rng.uniform(*_THROWN_AWAY_AFTER_S)
                damage = await self._break(place, pieces)
                if damage is not None and thrown_away:
                    bins.create_task(self._throw_away_later(damage, after_s))

    async def correct_all(self) -> None:
        """The shop closes: whatever was counted wrongly is counted again."""
        for place in sorted(self._wrong):
            await self._correct(place)

    async def _count_wrongly(self, place: Place, wrong_by: int) -> None:
        async with self._shelves.hands:
            there = self._shelves.count(place)
            counted = max(self._shelves.broken(place), there + wrong_by)
            if counted == there:
                counted += 1  # of an empty shelf nobody counts less
            sku, warehouse = place
            miscount = Miscount(warehouse, sku, counted - there, self._clock.now())
            self._wrong[place] = miscount
            self._happenings.miscounts.append(miscount)
            await self._import({place: counted})

    async def _correct_later(self, place: Place, after_s: float) -> None:
        await self._clock.sleep(after_s)
        await unbroken(self._correct(place))

    async def _correct(self, place: Place) -> None:
        async with self._shelves.hands:
            miscount = self._wrong.pop(place, None)
            if miscount is not None:
                await self._import({place: self._shelves.count(place)})
                miscount.corrected_at = self._clock.now()

    async def _break(self, place: Place, pieces: int) -> Damage | None:
        """Nothing breaks where nothing is; a shelf that is counted wrongly is looked at by somebody else."""
        found: list[Damage] = []

        async def find() -> None:
            async with self._shelves.hands:
                broken = min(pieces, self._shelves.count(place) - self._shelves.broken(place))
                if broken <= 0 or place in self._wrong:
                    return
                sku, warehouse = place
                now = self._clock.now()
                damage = Damage(warehouse, sku, broken, now)
                self._shelves.break_pieces(place, broken)
                self._happenings.damages.append(damage)
                self._happenings.arrivals.append(Arrival(warehouse, sku, -broken, now))
                await self._import({place: self._shelves.count(place)})
                damage.told_at = self._clock.now()
                found.append(damage)

        await unbroken(find())
        return found[0] if found else None

    async def _throw_away_later(self, damage: Damage, after_s: float) -> None:
        await self._clock.sleep(after_s)
        await unbroken(self._throw_away(damage))

    async def _throw_away(self, damage: Damage) -> None:
        place = (damage.sku, damage.warehouse)
        async with self._shelves.hands:
            if place in self._wrong:
                return  # it stays where it is
            self._shelves.throw_away(place, damage.pieces)
            damage.gone = True
            await self._import({place: self._shelves.count(place)})

    async def _import(self, counted: Mapping[Place, int]) -> None:
        self._imports += 1
        await self._aside(self._write_and_import, counted, self._imports)
        await self._clock.sleep(PAUSE_S)

    def _write_and_import(self, counted: Mapping[Place, int], number: int) -> None:
        now = self._clock.now()
        broken = self._broken(counted)
        import_stock(self._db, write_stock(counted, now, self._folder / f"stocktaking-{number}.csv", broken), now)

    def _broken(self, places: Collection[Place]) -> dict[Place, int]:
        return {place: self._shelves.broken(place) for place in places}
