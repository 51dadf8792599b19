"""Shoppers, payments, staff and mishaps at the counters of every vendor's sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from syncd.chance import SeededRng
from syncd.clock import ScaledClock, start_record
from syncd.simulation.happenings import Happenings
from syncd.simulation.marketplace import PortTaken, open_stands
from syncd.simulation.outages import break_down
from syncd.simulation.payments import Payments
from syncd.simulation.processes import free_ports
from syncd.simulation.shop_control import CounterClosed, DockCounter, Placed, ShopCounter
from syncd.simulation.shoppers import Habits, Shoppers
from syncd.simulation.staff import Typist
from syncd.simulation.stands import Stand, StandsUnreadable, stands_of
from syncd.simulation.world import EVERY_VENDOR, World, make_world, stands

SPEED = 3000.0
SHIP_TO = {"name": "A Shopper", "address1": "1 Main Street", "city": "Denver", "zip": "80202", "country": "US"}


@dataclass
class Street:
    """Every vendor's sandbox, open."""

    world: World
    clock: ScaledClock
    shops: dict[str, ShopCounter]
    dock: DockCounter

    async def shown(self, key: str, sku: str) -> int:
        levels = (await self.shops[key].truth())["levels"]
        return next(int(level["available"]) for level in levels if level["sku"] == sku)

    async def orders(self, key: str) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = (await self.shops[key].truth())["orders"]
        return orders


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    keys = [key for key, _ in stands(EVERY_VENDOR)]
    world = make_world(7, EVERY_VENDOR, dict(zip(keys, free_ports(len(keys)), strict=True)), 20, faults=False)
    clock = ScaledClock(start_record(SPEED))
    shops = {channel.key: ShopCounter(channel.key, world.address(channel.key)) for channel in world.channels}
    dock = DockCounter("bob", world.address("bob"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(open_stands(stands_of(world), 7, clock))
        for counter in [*shops.values(), dock]:
            stack.push_async_callback(counter.close)
        yield Street(world, clock, shops, dock)


async def for_a_while(doing: Any, real_s: float) -> None:
    task = asyncio.create_task(doing)
    await asyncio.sleep(real_s)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


SKU = "RED-CLOCK-000"


@pytest.mark.parametrize("key", ["main-shop", "amazon-us", "ebay-us"])
async def test_whoever_buys_lowers_the_listing_and_nobody_buys_more_than_it_shows(street: Street, key: str) -> None:
    shop, before = street.shops[key], await street.shown(key, SKU)

    bought = await shop.place([(SKU, 1)], SHIP_TO)
    refused = await shop.place([(SKU, before)], SHIP_TO)

    assert bought is not None
    assert refused is None
    assert await street.shown(key, SKU) == before - 1
    assert await shop.fulfil(bought.order_id)
    assert not await shop.fulfil(bought.order_id)
    assert not await shop.cancel(bought.order_id)


@pytest.mark.parametrize(("key", "edited"), [("main-shop", True), ("amazon-us", True), ("ebay-us", False)])
async def test_an_order_is_edited_only_where_the_channel_has_that(street: Street, key: str, edited: bool) -> None:
    bought = await street.shops[key].place([(SKU, 2)], SHIP_TO)
    assert bought is not None

    assert await street.shops[key].edit(bought.order_id, SKU, 1) is edited


async def test_goods_arrive_where_others_keep_them(street: Street) -> None:
    article = street.world.at_fba[0]
    assert article.fba_sku is not None
    at_bob = next(sku for sku, key in street.world.stock if key == "bob")

    await street.dock.receive(at_bob, 5)
    await street.shops["amazon-us"].receive_at_fba(article.fba_sku, 5)

    bob = {level["sku"]: level["on_hand"] for level in (await street.dock.truth())["levels"]}
    fba = {level["sku"]: level["fulfillable"] for level in (await street.shops["amazon-us"].truth())["fba"]}
    assert bob[at_bob] == street.world.stock[(at_bob, "bob")] + 5
    assert fba[article.fba_sku] == street.world.stock[(article.sku, "fba")] + 5


async def test_what_a_counter_does_not_do_is_told_with_the_counters_words(street: Street) -> None:
    with pytest.raises(CounterClosed, match=r"ebay-us: /_control/levels answered 400: .*NO-SUCH"):
        await street.shops["ebay-us"].set_level("NO-SUCH", 1)


async def test_shoppers_buy_on_every_channel_and_the_counters_agree(street: Street) -> None:
    shoppers = Shoppers(street.world, street.shops, street.clock, Happenings(), Habits(orders_per_hour=240))

    await for_a_while(shoppers.shop(), 0.8)
    await shoppers.payments.settle_all()

    for key in street.shops:
        assert len(await street.orders(key)) == shoppers.sales.accepted[key] > 0
    lines = [line for order in await street.orders("amazon-us") for line in order["lines"]]
    assert {line["by_channel"] for line in lines} == {True, False}


async def test_an_unpaid_purchase_is_paid_or_dropped_with_its_units_given_back(street: Street) -> None:
    happenings = Happenings()
    payments = Payments(SeededRng(7, "payments"), street.clock, happenings, street.world)
    shop, before = street.shops["ebay-us"], await street.shown("ebay-us", SKU)
    for _ in range(8):
        placed = await shop.place([(SKU, 1)], SHIP_TO, unpaid=True)
        assert placed is not None
        payments.expect(shop, placed, [SKU])
    assert await street.shown("ebay-us", SKU) == before - 8

    await payments.settle_all()

    assert payments.open == 0
    assert payments.paid + payments.dropped == 8
    assert payments.paid
    assert payments.dropped
    assert await street.shown("ebay-us", SKU) == before - payments.paid
    assert (await shop.truth())["orders_accepted"] == payments.paid
    assert all(purchase.settled_at is not None for purchase in happenings.unpaid)


async def test_payments_come_some_minutes_after_the_purchase(street: Street) -> None:
    payments = Payments(SeededRng(7, "payments"), street.clock, Happenings(), street.world)
    placed = await street.shops["amazon-us"].place([(SKU, 1)], SHIP_TO, unpaid=True)
    assert isinstance(placed, Placed)
    payments.expect(street.shops["amazon-us"], placed, [SKU])

    await for_a_while(payments.settle_due(), 0.4)  # twenty of the seller's minutes

    assert payments.open == 0


async def test_a_person_types_numbers_and_on_ebay_only_higher_ones(street: Street) -> None:
    happenings = Happenings()
    before = {key: (await shop.truth())["levels"] for key, shop in street.shops.items()}

    await for_a_while(Typist(street.world, street.shops, street.clock, happenings).type_numbers(), 1.5)

    assert happenings.hand_edits
    for edit in happenings.hand_edits:
        was = next(level["available"] for level in before[edit.account] if level["sku"] == edit.sku)
        assert edit.typed >= (was if edit.account == "ebay-us" else 0)


async def test_one_channel_after_the_other_is_down_for_a_while(street: Street) -> None:
    happenings = Happenings()

    await for_a_while(break_down(street.world, street.shops, street.clock, happenings, 300.0), 0.4)

    (outage,) = happenings.outages
    assert (outage.to_at - outage.from_at).total_seconds() == 90.0
    assert happenings.down(outage.account, outage.from_at)
    assert not happenings.down(outage.account, outage.to_at)
    assert not any(happenings.down(key, outage.from_at) for key in street.shops if key != outage.account)


async def test_a_port_that_somebody_has_is_told_with_a_remedy(street: Street) -> None:
    with pytest.raises(PortTaken, match=r"for ebay-us cannot be had \(.*\): choose others by --port-base"):
        async with open_stands(stands_of(street.world, ["ebay"]), 1, street.clock):
            raise AssertionError("it opened")


@pytest.mark.parametrize(
    ("stand", "problem"),
    [
        (Stand("etsy", "etsy", 1, {}), "no sandbox is called 'etsy'"),
        (Stand("shop", "ebay", 1, {"items": [{"sku": 5}]}), "its seed does not fit ebay: Expected `str`, got `int`"),
    ],
)
async def test_a_stand_that_cannot_be_opened_says_why(street: Street, stand: Stand, problem: str) -> None:
    with pytest.raises(StandsUnreadable, match=problem):
        async with open_stands([stand], 1, street.clock):
            raise AssertionError("it opened")
