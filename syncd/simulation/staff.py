"""The seller's people: goods arrive, and now and then somebody types a number by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.db.database import Database
from syncd.simulation.docks import Dock
from syncd.simulation.files import write_stock
from syncd.simulation.happenings import Arrival, HandEdit, Happenings
from syncd.simulation.shelves import Shelves
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.unbroken import unbroken
from syncd.simulation.world import WarehousePlan, World
from syncd.stock.import_stock import import_stock

_DELIVERY_EVERY_S = 900.0
_TYPING_EVERY_S = 540.0
_SKUS_A_DELIVERY = 6
PAUSE_S = 2.0  # nobody packs right after a count: channels tell only the second in which a parcel left

Aside = Callable[..., Awaitable[Any]]
"""Runs what would hold up the loop: on a thread in life."""


class Receiving:
    """Goods arrive at one warehouse after the other, at each every `every_s`."""

    def __init__(
        self,
        world: World,
        db: Database,
        clock: Clock,
        folder: Path,
        docks: Mapping[str, Dock],
        happenings: Happenings,
        shelves: Shelves,
        aside: Aside = asyncio.to_thread,
        every_s: float = _DELIVERY_EVERY_S,
    ) -> None:
        self._world = world
        self._db = db
        self._clock = clock
        self._folder = folder
        self._docks = docks
        self._happenings = happenings
        self._shelves = shelves
        self._aside = aside
        self._every_s = every_s
        self._rng = SeededRng(world.seed, "receiving")

    async def receive(self) -> None:
        """Receive deliveries, for ever."""
        number = 0
        stocked = {key for _, key in self._world.stock}
        plans = [plan for plan in self._world.cast.warehouses if plan.key in stocked]
        while True:
            for plan in plans:
                await self._clock.sleep(self._every_s / len(plans))
                number += 1
                await unbroken(self._take_in(plan, self._delivery(plan.key), number))

    async def _take_in(self, plan: WarehousePlan, arrived: Mapping[str, int], number: int) -> None:
        if plan.by_hand:
            async with self._shelves.hands:
                there_at = self._clock.now()  # the book never has goods before they are there
                self._shelves.arrive({(sku, plan.key): pieces for sku, pieces in arrived.items()})
                self._note(plan, arrived, there_at)
                await self._aside(self._count, plan.key, arrived, number)
                await self._clock.sleep(PAUSE_S)
        else:
            await self._docks[plan.key](arrived)
            self._note(plan, arrived, self._clock.now())

    def _note(self, plan: WarehousePlan, arrived: Mapping[str, int], at: datetime) -> None:
        self._happenings.arrivals += [Arrival(plan.key, sku, pieces, at) for sku, pieces in arrived.items()]

    def _delivery(self, key: str) -> dict[str, int]:
        stocked = [article.sku for article in self._world.plain if (article.sku, key) in self._world.stock]
        chosen = sorted({stocked[self._rng.randrange(len(stocked))] for _ in range(_SKUS_A_DELIVERY)})
        return {sku: 5 + self._rng.randrange(20) for sku in chosen}

    def _count(self, key: str, arrived: Mapping[str, int], number: int) -> None:
        """Own people count the shelf with what arrived on it, and import the count."""
        now = self._clock.now()
        counted = {(sku, key): self._shelves.count((sku, key)) for sku in arrived}
        broken = {place: self._shelves.broken(place) for place in counted}
        import_stock(self._db, write_stock(counted, now, self._folder / f"delivery-{number}.csv", broken), now)


class Typist:
    """A person who trusts a list more than the system, and types numbers over it."""

    def __init__(
        self,
        world: World,
        shops: Mapping[str, ShopCounter],
        clock: Clock,
        happenings: Happenings,
        every_s: float = _TYPING_EVERY_S,
    ) -> None:
        self._world = world
        self._shops = shops
        self._clock = clock
        self._happenings = happenings
        self._every_s = every_s
        self._rng = SeededRng(world.seed, "typist")

    async def type_numbers(self) -> None:
        """Type a number now and then, for ever."""
        while True:
            await self._clock.sleep(self._rng.uniform(0.5, 1.5) * self._every_s)
            plan = self._world.channels[self._rng.randrange(len(self._world.channels))]
            shop = self._shops[plan.key]
            listed = {article.sku for article in self._world.listed_on(plan.key)}
            levels = [each for each in (await shop.truth())["levels"] if each["sku"] in listed]
            chosen = levels[self._rng.randrange(len(levels))]
            change = self._rng.randrange(6) - 2
            # A number typed too low looks like units sold unpaid, and on eBay those may stay hidden for days.
            typed = max(0, chosen["available"] + (abs(change) if plan.vendor == "ebay" else change))
            await shop.set_level(chosen["sku"], typed)
            self._happenings.hand_edits.append(HandEdit(plan.key, chosen["sku"], typed, self._clock.now()))
