"""Shoppers and staff from a seed: who buys what and when, who changes their mind, when parcels leave."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from syncd.chance import SeededRng
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.world import Article, World

_CITIES = (
    ("New York", "10001"),
    ("Boston", "02108"),
    ("Chicago", "60601"),
    ("Denver", "80202"),
    ("Seattle", "98101"),
    ("Los Angeles", "90012"),
    ("Miami", "33130"),
    ("Austin", "78701"),
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How busy the day is. Rates are per seller's hour."""

    orders_per_hour: float = 240.0
    burst_share: float = 0.15  # of the time, shoppers come four times as fast
    cancel_share: float = 0.04
    edit_share: float = 0.03
    fulfil_after_s: float = 900.0


@dataclass(slots=True)
class Taken:
    """An accepted order that somebody may still change."""

    shop: ShopCounter
    order_id: str
    lines: tuple[tuple[str, int], ...]
    at: datetime


@dataclass(slots=True)
class Sales:
    """What the shoppers got, by shop."""

    accepted: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    cancelled: int = 0
    edited: int = 0
    fulfilled: int = 0


class Shoppers:
    """Buys until told to stop. One stream of chance for each kind of doing, so that one does not disturb another."""

    def __init__(self, world: World, shops: list[ShopCounter], clock: Clock, habits: Habits | None = None) -> None:
        self._world = world
        self._shops = shops
        self._clock = clock
        self._habits = habits or Habits()
        self._when = SeededRng(world.seed, "shoppers/when")
        self._what = SeededRng(world.seed, "shoppers/what")
        self._whims = SeededRng(world.seed, "shoppers/whims")
        self._weights = _running_total([article.popularity for article in world.articles])
        self._parcels: deque[Taken] = deque()
        self.sales = Sales()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    async def shop(self) -> None:
        """Place orders one after the other until `stopped`."""
        due = self._clock.now()
        while not self.stopped:
            due += timedelta(seconds=self._pause_s(due))
            await self._clock.sleep((due - self._clock.now()).total_seconds())
            await self._buy()

    async def change_minds(self) -> None:
        """Cancel, edit and ship what was bought, until `stopped`."""
        while not self.stopped:
            await self._clock.sleep(20.0)
            while self._parcels:
                taken = self._parcels[0]
                if (self._clock.now() - taken.at).total_seconds() < self._habits.fulfil_after_s:
                    break
                self._parcels.popleft()
                if await taken.shop.fulfil(taken.order_id):
                    self.sales.fulfilled += 1

    def _pause_s(self, at: datetime) -> float:
        # A burst lasts some minutes of every hour, the same ones for the same seed.
        minute = at.minute + 60 * (at.hour % 3)
        busy = 4.0 if (minute * 7 + self._world.seed) % 100 < self._habits.burst_share * 100 else 1.0
        return -math.log(1.0 - self._when.random()) * 3600.0 / (self._habits.orders_per_hour * busy)

    async def _buy(self) -> None:
        shop = self._shops[0] if self._what.random() < self._world.shops[0].share else self._shops[-1]
        lines = self._basket()
        city, postcode = _CITIES[self._what.randrange(len(_CITIES))]
        ship_to = {"name": "A Shopper", "city": city, "zip": postcode, "country": "US", "address1": "1 Main Street"}
        placed = await shop.place(lines, ship_to)
        if placed is None:
            self.sales.refused += 1
            return
        self.sales.accepted[shop.key] = self.sales.accepted.get(shop.key, 0) + 1
        await self._whim(Taken(shop, placed.order_id, tuple(lines), self._clock.now()))

    async def _whim(self, taken: Taken) -> None:
        whim = self._whims.random()
        if whim < self._habits.cancel_share:
            await taken.shop.cancel(taken.order_id, restock=self._whims.random() < 0.8)
            self.sales.cancelled += 1
            return
        if whim < self._habits.cancel_share + self._habits.edit_share:
            sku, quantity = taken.lines[0]
            if await taken.shop.edit(taken.order_id, sku, max(0, quantity + (1 if self._whims.random() < 0.5 else -1))):
                self.sales.edited += 1
        self._parcels.append(taken)

    def _basket(self) -> list[tuple[str, int]]:
        basket: dict[str, int] = {}
        for _ in range(1 + (self._what.random() < 0.3) + (self._what.random() < 0.1)):
            article = self._pick(self._what)
            basket[article.sku] = basket.get(article.sku, 0) + (2 if self._what.random() < 0.12 else 1)
        return list(basket.items())

    def _pick(self, rng: Rng) -> Article:
        wanted = rng.random() * self._weights[-1]
        low, high = 0, len(self._weights) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._weights[middle] <= wanted else (low, middle)
        return self._world.articles[low]


def _running_total(weights: list[float]) -> list[float]:
    totals, total = [], 0.0
    for weight in weights:
        total += weight
        totals.append(total)
    return totals
