"""Shoppers who do what a list of orders says, instead of what they like."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.simulation.happenings import Happenings
from syncd.simulation.payments import Payments
from syncd.simulation.regrets import Regrets
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.shoppers import Sales, Taken
from syncd.simulation.unbroken import unbroken
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import World


class ListedShoppers:
    """Places the orders at their distances from the moment that `shop` begins."""

    def __init__(
        self,
        world: World,
        shops: Mapping[str, ShopCounter],
        clock: Clock,
        happenings: Happenings,
        orders: Sequence[WantedOrder],
    ) -> None:
        self._shops = shops
        self._clock = clock
        self._orders = sorted(orders, key=lambda order: order.after_s)
        self.payments = Payments(SeededRng(world.seed, "shoppers/payments"), clock, happenings, world)
        self.parcels: asyncio.Queue[Taken] = asyncio.Queue()
        self.regrets = Regrets(clock)
        self.sales = Sales()

    async def shop(self) -> None:
        """Place every order when it is due, then go home."""
        began = self._clock.now()
        for order in self._orders:
            await self._clock.sleep((began + timedelta(seconds=order.after_s) - self._clock.now()).total_seconds())
            await unbroken(self._buy(order, began))

    async def _buy(self, order: WantedOrder, began: datetime) -> None:
        shop = self._shops[order.account]
        placed = await shop.place(order.lines, _ship_to(order), unpaid=order.unpaid)
        if placed is None:
            self.sales.refused += 1
            return
        self.sales.accepted[shop.key] = self.sales.accepted.get(shop.key, 0) + 1
        ends_at = None if order.cancelled_after_s is None else began + timedelta(seconds=order.cancelled_after_s)
        if order.unpaid:
            self.payments.expect(shop, placed, [sku for sku, _ in order.lines], ends_at is None, ends_at)
        elif ends_at is None:
            self.parcels.put_nowait(Taken(shop, placed.order_id, placed.name, tuple(order.lines), self._clock.now()))
        else:
            self.regrets.expect(ends_at, functools.partial(shop.cancel, placed.order_id))


def _ship_to(order: WantedOrder) -> dict[str, str]:
    address = {"name": "A Shopper", "address1": "1 Main Street", "country": order.country}
    return address | {name: text for name, text in (("zip", order.postcode), ("city", order.city)) if text}
