"""Counters that write down what happens there, shoppers who keep to a list, and how often others come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from syncd.clock import ScaledClock, start_record
from syncd.simulation.happenings import Happenings
from syncd.simulation.listed_shoppers import ListedShoppers
from syncd.simulation.marketplace import open_stands
from syncd.simulation.processes import free_ports
from syncd.simulation.regrets import Regrets
from syncd.simulation.scene import SELLER_START
from syncd.simulation.shoppers import Habits, Shoppers
from syncd.simulation.stands import stands_of
from syncd.simulation.till import Till
from syncd.simulation.true_stock import TrueStock
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import EVERY_VENDOR, World, make_world, stands

SPEED = 3000.0
SKU = "RED-CLOCK-000"
SHIP_TO = {"name": "A Shopper", "address1": "1 Main Street", "city": "Denver", "zip": "80202", "country": "US"}


@dataclass
class Watched:
    world: World
    clock: ScaledClock
    stock: TrueStock
    happenings: Happenings
    tills: dict[str, Till]

    def free(self) -> int:
        return self.stock.free("main-shop", SKU)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    keys = [key for key, _ in stands(EVERY_VENDOR)]
    world = make_world(7, EVERY_VENDOR, dict(zip(keys, free_ports(len(keys)), strict=True)), 20, faults=False)
    clock = ScaledClock(start_record(SPEED))
    happenings, stock = Happenings(), TrueStock(world, clock.now())
    async with open_stands(stands_of(world, ["shopify", "amazon", "ebay"]), 7, clock):
        tills = {
            channel.key: Till(channel.key, world.address(channel.key), clock, stock, happenings)
            for channel in world.channels
        }
        yield Watched(world, clock, stock, happenings, tills)
        for till in tills.values():
            await till.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not holds():  # noqa: ASYNC110 - nobody at a counter tells when
            await asyncio.sleep(0.01)


async def test_what_is_bought_edited_and_cancelled_is_written_down(watched: Watched) -> None:
    shop, before = watched.tills["main-shop"], watched.free()
    placed = await shop.place([(SKU, 2)], SHIP_TO)
    assert placed is not None

    assert await shop.edit(placed.order_id, SKU, 3)
    assert watched.free() == before - 3
    assert await shop.cancel(placed.order_id)

    assert watched.free() == before
    (purchase,) = watched.happenings.purchases
    assert (purchase.wanted, purchase.lines, purchase.edits) == ({SKU: 2}, {SKU: 3}, 1)
    assert purchase.cancelled_at is not None
    assert not await shop.cancel(placed.order_id)


async def test_who_is_refused_is_written_down_with_what_was_true(watched: Watched) -> None:
    shop, free = watched.tills["ebay-us"], watched.free()
    await shop.set_level(SKU, 0)

    assert await shop.place([(SKU, 1)], SHIP_TO) is None
    assert await shop.place([(SKU, free + 1)], SHIP_TO) is None

    assert [(each.name, each.free) for each in watched.happenings.purchases] == [(None, True), (None, False)]


async def test_a_refund_after_shipping_leaves_the_goods_with_the_buyer(watched: Watched) -> None:
    shop, before = watched.tills["main-shop"], watched.free()
    placed = await shop.place([(SKU, 2)], SHIP_TO)
    assert placed is not None
    assert await shop.fulfil(placed.order_id)

    assert await shop.refund(placed.order_id, SKU, 1)

    assert watched.happenings.purchases[0].refunded == 1
    assert watched.free() == before - 2


async def test_what_amazon_ships_itself_takes_nothing_of_ours(watched: Watched) -> None:
    fba_sku = watched.world.at_fba[0].fba_sku
    assert fba_sku is not None

    assert await watched.tills["amazon-us"].place([(fba_sku, 1)], SHIP_TO, by_channel=True) is not None

    (purchase,) = watched.happenings.purchases
    assert (purchase.by_channel, purchase.free) == (True, False)


async def test_a_list_of_orders_is_kept_to(watched: Watched) -> None:
    orders = [
        WantedOrder(600.0, "ebay-us", "2", ((SKU, 1),), "US", unpaid=True, cancelled_after_s=900.0),
        WantedOrder(0.0, "main-shop", "1", ((SKU, 1), ("BLUE-CLOCK-001", 2)), "US", "10001", "New York"),
        WantedOrder(700.0, "main-shop", "3", ((SKU, 1),), "US", cancelled_after_s=800.0),
        WantedOrder(710.0, "amazon-us", "4", ((SKU, 1),), "US", unpaid=True),
    ]
    shoppers = ListedShoppers(watched.world, watched.tills, watched.clock, watched.happenings, orders)
    doings = [shoppers.payments.settle_due(), shoppers.regrets.come_due()]
    tasks = [asyncio.create_task(each) for each in doings]

    began = watched.clock.now()
    await shoppers.shop()
    await until(lambda: not shoppers.payments.open and watched.happenings.purchases[2].cancelled_at is not None)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third, fourth = watched.happenings.purchases
    assert first.lines == {SKU: 1, "BLUE-CLOCK-001": 2}
    assert shoppers.parcels.qsize() == 1
    assert (second.account, second.paid_at, second.cancelled_at is None) == ("ebay-us", None, False)
    assert (second.at - began).total_seconds() >= 600.0
    assert third.cancelled_at is not None
    assert fourth.paid_at is not None


async def test_later_doings_come_in_the_order_in_which_they_are_due() -> None:
    clock = ScaledClock(start_record(SPEED))
    regrets, done = Regrets(clock), list[str]()

    def doing(name: str) -> None:
        async def act() -> bool:
            done.append(name)
            return True

        regrets.expect(clock.now() + timedelta(seconds={"a": 60.0, "b": 30.0, "c": 9e6}[name]), act)

    for name in ("a", "b", "c"):
        doing(name)
    task = asyncio.create_task(regrets.come_due())
    await until(lambda: len(done) == 2)
    task.cancel()

    assert done == ["b", "a"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_so_many_shoppers_come_a_day_as_are_asked_for_bursts_included(seed: int) -> None:
    happenings = Happenings()
    keys = {key: 1 for key, _ in stands(EVERY_VENDOR)}
    world = make_world(seed, EVERY_VENDOR, keys, 20)
    shoppers = Shoppers(world, {}, ScaledClock(), happenings, Habits.of_day(500))
    at, came = SELLER_START, 0

    while (at := shoppers._next_after(at)) < SELLER_START + timedelta(days=20):
        came += 1

    assert came / 20 == pytest.approx(500, rel=0.05)
    assert happenings.bursts > 20
