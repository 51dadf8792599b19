"""Shoppers from a seed: who buys what, where and when, and who has a change of mind at once."""

from __future__ import annotations

import asyncio
import bisect
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from syncd.chance import SeededRng
from syncd.simulation.addresses import ship_to, towns_in
from syncd.simulation.goods import Article
from syncd.simulation.happenings import Happenings
from syncd.simulation.payments import Payments
from syncd.simulation.regrets import Act, Regrets
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.unbroken import unbroken
from syncd.simulation.world import ChannelPlan, World

_BURST = 4.0  # times as many shoppers


@dataclass(frozen=True, slots=True)
class Habits:
    """How busy the day is. Rates are per seller's hour; shares by vendor apply where the vendor knows such orders."""

    orders_per_hour: float = 240.0
    burst_share: float = 0.15  # of the time, shoppers come several times as fast
    more_lines: tuple[float, ...] = (0.3, 0.1)  # probabilities of one more pick, each by itself
    cancel_share: float = 0.04
    edit_share: float = 0.03
    late_share: float = 0.5  # of cancellations and edits
    late_s: tuple[float, float] = (120.0, 5400.0)  # after the purchase
    unpaid_share: Mapping[str, float] = field(default_factory=lambda: {"ebay": 0.25, "amazon": 0.12})
    by_channel_share: Mapping[str, float] = field(default_factory=lambda: {"amazon": 0.15})
    refund_share: float = 0.06  # of what was shipped, where the vendor has refunds

    @classmethod
    def of_day(cls, orders: float) -> Habits:
        """So many orders a day on average, bursts included."""
        return cls(orders_per_hour=orders / 24 / (1 + (_BURST - 1) * cls().burst_share))


@dataclass(frozen=True, slots=True)
class Taken:
    """An accepted order that somebody may still change."""

    shop: ShopCounter
    order_id: str
    name: str
    lines: tuple[tuple[str, int], ...]
    at: datetime


@dataclass(slots=True)
class Sales:
    """What the shoppers got, by channel."""

    accepted: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    cancelled: int = 0
    edited: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a shopper of one channel may pick, the popular more often."""

    articles: Sequence[Article]
    weights: Sequence[float]  # running totals

    @classmethod
    def of(cls, articles: Sequence[Article]) -> Shelf:
        return cls(articles, list(itertools.accumulate(article.popularity for article in articles)))

    def pick(self, rng: Rng) -> Article:
        return self.articles[bisect.bisect_right(self.weights, rng.random() * self.weights[-1])]


class Shoppers:
    """Buys until told to stop. One stream of chance for each kind of doing, so that one does not disturb another."""

    def __init__(
        self,
        world: World,
        shops: Mapping[str, ShopCounter],
        clock: Clock,
        happenings: Happenings,
        habits: Habits | None = None,
    ) -> None:
        self._world = world
        self._shops = shops
        self._clock = clock
        self._habits = habits or Habits()
        self._when = SeededRng(world.seed, "shoppers/when")
        self._what = SeededRng(world.seed, "shoppers/what")
        self._whims = SeededRng(world.seed, "shoppers/whims")
        self._shelves = {channel.key: Shelf.of(world.listed_on(channel.key)) for channel in world.channels}
        self._fba = Shelf.of(world.at_fba)
        self._towns = towns_in({each.country for each in world.cast.warehouses})
        self._bursting = False
        self._happenings = happenings
        self._shares = list(itertools.accumulate(channel.share for channel in world.channels))
        self.payments = Payments(SeededRng(world.seed, "shoppers/payments"), clock, happenings, world)
        self.regrets = Regrets(clock)
        self._changed: dict[str, tuple[tuple[str, int], ...]] = {}
        self.parcels: asyncio.Queue[Taken] = asyncio.Queue()
        self.sales = Sales()

    async def shop(self) -> None:
        """Place orders one after the other, for ever."""
        due = self._clock.now()
        while True:
            due = self._next_after(due)
            await self._clock.sleep((due - self._clock.now()).total_seconds())
            await unbroken(self._buy())

    def _next_after(self, at: datetime) -> datetime:
        """When the next shopper comes: the rate changes by the minute."""
        wanted = -math.log(1.0 - self._when.random())  # of what is to be expected on average
        while True:
            rate = self._rate(at)
            until = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
            expected = rate * (until - at).total_seconds()
            if wanted <= expected:
                return at + timedelta(seconds=wanted / rate)
            wanted -= expected
            at = until

    def _rate(self, at: datetime) -> float:
        """Shoppers a second. A burst lasts some minutes of every hour, the same ones for the same seed."""
        minute = at.minute + 60 * (at.hour % 3)
        bursting = (minute * 7 + self._world.seed) % 100 < self._habits.burst_share * 100
        self._happenings.bursts += bursting and not self._bursting
        self._bursting = bursting
        return self._habits.orders_per_hour * (_BURST if bursting else 1.0) / 3600.0

    async def _buy(self) -> None:
        channel = self._channel()
        vendor = channel.vendor
        by_channel = bool(self._fba.articles) and self._what.random() < self._habits.by_channel_share.get(vendor, 0.0)
        unpaid = not by_channel and self._what.random() < self._habits.unpaid_share.get(vendor, 0.0)
        lines = self._fba_basket() if by_channel else self._basket(channel.key)
        shop = self._shops[channel.key]
        placed = await shop.place(lines, self._ship_to(), unpaid=unpaid, by_channel=by_channel)
        if placed is None:
            self.sales.refused += 1
            return
        self.sales.accepted[shop.key] = self.sales.accepted.get(shop.key, 0) + 1
        taken = Taken(shop, placed.order_id, placed.name, tuple(lines), self._clock.now())
        if unpaid:
            self.payments.expect(shop, placed, [sku for sku, _ in lines])
        elif not by_channel:
            await self._whim(taken, always_restocked=vendor == "ebay")

    def _channel(self) -> ChannelPlan:
        wanted = self._what.random() * self._shares[-1]
        return self._world.channels[bisect.bisect_right(self._shares, wanted)]

    async def _whim(self, taken: Taken, *, always_restocked: bool) -> None:
        """Somebody cancels or changes the order, at once or when it may be too late; else nothing but the parcel."""
        # Units that eBay keeps off its listing could as well be hidden purchases: they would stay held for days.
        whim = self._whims.random()
        act: Act | None = None
        if whim < self._habits.cancel_share:
            restock = self._whims.random() < 0.8 or always_restocked
            act = functools.partial(self._cancel, taken, restock)
        elif whim < self._habits.cancel_share + self._habits.edit_share:
            act = functools.partial(self._edit, taken, 1 if self._whims.random() < 0.5 else -1)
        if act is not None and self._whims.random() < self._habits.late_share:
            self.regrets.expect(taken.at + timedelta(seconds=self._whims.uniform(*self._habits.late_s)), act)
            act = None
        if act is None or not await act():
            self.parcels.put_nowait(taken)

    async def _cancel(self, taken: Taken, restock: bool) -> bool:
        """Whether nothing is to be sent any more."""
        cancelled = await taken.shop.cancel(taken.order_id, restock=restock)
        if cancelled:
            self.sales.cancelled += 1
            self._changed[taken.order_id] = ()
        return cancelled

    async def _edit(self, taken: Taken, by: int) -> bool:
        """Change the first line's quantity. Something is still to be sent, or nobody minds an empty parcel."""
        sku, quantity = taken.lines[0]
        left = max(0, quantity + by)
        if await taken.shop.edit(taken.order_id, sku, left):
            self.sales.edited += 1
            self._changed[taken.order_id] = ((sku, left), *taken.lines[1:])
        return False

    def lines_of(self, taken: Taken) -> tuple[tuple[str, int], ...]:
        """What the buyer wants of an order by now."""
        return self._changed.get(taken.order_id, taken.lines)

    def _basket(self, channel: str) -> list[tuple[str, int]]:
        basket: dict[str, int] = {}
        for _ in range(1 + sum(self._what.random() < share for share in self._habits.more_lines)):
            article = self._shelves[channel].pick(self._what)
            basket[article.sku] = basket.get(article.sku, 0) + (2 if self._what.random() < 0.12 else 1)
        return list(basket.items())

    def _fba_basket(self) -> list[tuple[str, int]]:
        article = self._fba.pick(self._what)
        assert article.fba_sku is not None, "what is at FBA has a seller SKU there"
        return [(article.fba_sku, 1)]

    def _ship_to(self) -> dict[str, str]:
        return ship_to(self._towns[self._what.randrange(len(self._towns))])
