"""The simulated packing table and a trial's figures, read from a real book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.db.database import Database
from syncd.simulation.goods import Article
from syncd.simulation.happenings import Happenings
from syncd.simulation.packing import PackingTable, read_picks
from syncd.simulation.shelves import Shelves
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.shoppers import Taken
from syncd.simulation.staff import Receiving
from syncd.simulation.trial.figures import read_book
from syncd.simulation.world import Cast, WarehousePlan, World
from tests.integration.conftest import ON_SQLITE
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order


@pytest.fixture
def seller(db: Database) -> Seller:
    stock = {"hamburg": {"RED-CLOCK": 1, "BLUE-LAMP": 3}, "berlin": {"RED-CLOCK": 1}, "bob": {"GREEN-MUG": 1}}
    return a_seller(db, stock, warehouses={"hamburg": "own", "berlin": "own", "bob": "3pl"})


def test_what_an_order_is_packed_from_is_what_the_book_has_reserved(seller: Seller) -> None:
    account_id = seller.accounts["shop"].account_id
    assert seller.db.read_now(read_picks, account_id, "#1001") == {}, "the book does not know it yet"

    seller.takes_in(
        an_order(a_line(quantity=2), a_line("BLUE-LAMP", 1, line_id="2")),
        an_order(a_line("GREEN-MUG"), order_id="1002"),
    )

    assert seller.db.read_now(read_picks, account_id, "#1001") == {
        ("RED-CLOCK", "hamburg"): 1,
        ("RED-CLOCK", "berlin"): 1,
        ("BLUE-LAMP", "hamburg"): 1,
    }
    assert seller.db.read_now(read_picks, account_id, "#1002") == {("GREEN-MUG", "bob"): 1}


@ON_SQLITE
def test_splits_and_oversold_units_are_read_by_account(seller: Seller) -> None:
    seller.takes_in(
        an_order(quantity=2),
        an_order(a_line("BLUE-LAMP", 2), order_id="1002"),
        an_order(a_line("GREEN-MUG", 2), order_id="1003"),
    )

    book = seller.db.read_now(read_book)

    assert book.split_orders == {"shop": 1}
    assert book.oversold_units == {"shop": 1}
    assert [sale.oversold for sale in book.sales] == [1], "what sold of SKUs that ran short; no other tells why"


@dataclass
class Hours:
    """A clock on which waiting takes no time."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Counter(ShopCounter):
    key: str = "shop"
    done: list[tuple[str, str, datetime]] = field(default_factory=list)
    clock: Hours = field(default_factory=Hours)

    async def fulfil(self, order_id: str) -> bool:
        self.done.append(("sent", order_id, self.clock.at))
        return True

    async def cancel(self, order_id: str, *, restock: bool = True) -> bool:
        self.done.append(("not restocked" if not restock else "restocked", order_id, self.clock.at))
        return True


def a_world() -> World:
    goods = tuple(Article(sku, sku, 1.0, "9.00", ("shop",)) for sku in ("RED-CLOCK", "BLUE-LAMP", "GREEN-MUG"))
    places = [("hamburg", "own", None), ("berlin", "own", None), ("bob", "3pl", "shipbob")]
    warehouses = tuple(
        WarehousePlan(key, key, "own" if kind == "own" else "3pl", "DE", "20095", "UTC", vendor=vendor)
        for key, kind, vendor in places
    )
    stock = {
        ("RED-CLOCK", "hamburg"): 1,
        ("RED-CLOCK", "berlin"): 1,
        ("BLUE-LAMP", "hamburg"): 3,
        ("GREEN-MUG", "bob"): 1,
    }
    return World(1, Cast((), warehouses, (), 3), goods, stock, {}, faults=False)


@ON_SQLITE
async def test_whole_orders_are_sent_what_stays_missing_is_given_up_and_a_3pls_are_left_alone(seller: Seller) -> None:
    seller.takes_in(
        an_order(a_line(quantity=2), a_line("BLUE-LAMP", 1, line_id="2")),
        an_order(a_line("BLUE-LAMP", 5), order_id="1002"),
        an_order(a_line("GREEN-MUG"), order_id="1003"),
        an_order(a_line("BLUE-LAMP", 0), order_id="1004"),
    )
    clock, parcels, shelves = Hours(), asyncio.Queue[Taken](), Shelves(a_world())
    counter = Counter(clock=clock)
    lines = {
        "1001": (("RED-CLOCK", 2), ("BLUE-LAMP", 1)),
        "1002": (("BLUE-LAMP", 5),),
        "1003": (("GREEN-MUG", 1),),
        "1004": (("BLUE-LAMP", 0),),
    }
    for number, wanted in lines.items():
        parcels.put_nowait(Taken(counter, number, f"#{number}", wanted, NOW))
    given_up: list[str] = []
    accounts = {"shop": seller.accounts["shop"].account_id}
    table = PackingTable(
        seller.db,
        clock,
        parcels,
        accounts,
        shelves,
        lambda taken: taken.lines,
        given_up=lambda taken: given_up.append(taken.name),
    )

    task = asyncio.create_task(table.pack())
    async with asyncio.timeout(30):
        while len(counter.done) < 2:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0)
    task.cancel()

    (sent, first, sent_at), (cancelled, second, cancelled_at) = counter.done
    assert (sent, first, cancelled, second) == ("sent", "1001", "not restocked", "1002")
    assert timedelta(minutes=15) <= sent_at - NOW < timedelta(minutes=17)
    assert timedelta(hours=12) <= cancelled_at - NOW < timedelta(hours=14)
    assert given_up == ["#1002"]
    assert [shelves.count(place) for place in (("RED-CLOCK", "hamburg"), ("RED-CLOCK", "berlin"))] == [0, 0]
    assert shelves.count(("BLUE-LAMP", "hamburg")) == 2


@ON_SQLITE
async def test_goods_have_arrived_when_their_own_people_count_them(seller: Seller, tmp_path: Path) -> None:
    clock, happenings, world = Hours(), Happenings(), a_world()
    counted_at: set[datetime] = set()

    async def unload(arrived: Mapping[str, int]) -> None:
        assert arrived

    async def aside(function: Callable[..., Any], *args: Any) -> Any:
        counted_at.add(clock.at)
        return function(*args)

    receiving = Receiving(world, seller.db, clock, tmp_path, {"bob": unload}, happenings, Shelves(world), aside)
    task = asyncio.create_task(receiving.receive())
    async with asyncio.timeout(30):
        while len({each.warehouse for each in happenings.arrivals}) < 3:  # noqa: ASYNC110 - deliveries tell nobody
            await asyncio.sleep(0)
    task.cancel()

    assert {each.at for each in happenings.arrivals if each.warehouse != "bob"} == counted_at
