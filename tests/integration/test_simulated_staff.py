"""The simulated packing table and a trial's figures, read from a real book."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from syncd.db.database import Database
from syncd.simulation.packing import PackingTable, Standing, standing
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.shoppers import Taken
from syncd.simulation.trial.figures import read_book
from tests.integration.conftest import ON_SQLITE
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

OWN = frozenset({"hamburg", "berlin"})


@pytest.fixture
def seller(db: Database) -> Seller:
    stock = {"hamburg": {"RED-CLOCK": 1, "BLUE-LAMP": 3}, "berlin": {"RED-CLOCK": 1}, "bob": {"GREEN-MUG": 1}}
    return a_seller(db, stock, warehouses={"hamburg": "own", "berlin": "own", "bob": "3pl"})


def stands(seller: Seller, order: str = "#1001") -> Standing:
    return seller.db.read_now(standing, seller.accounts["shop"].account_id, order, OWN)


def test_an_order_is_sent_when_all_of_it_lies_here(seller: Seller) -> None:
    assert stands(seller) is Standing.WAIT, "the book does not know it yet"

    seller.takes_in(an_order(a_line(quantity=2), a_line("BLUE-LAMP", 1, line_id="2")))

    assert stands(seller) is Standing.SEND


def test_an_order_that_lacks_a_unit_waits_and_one_that_a_3pl_has_a_part_of_is_left_alone(seller: Seller) -> None:
    seller.takes_in(an_order(quantity=3), an_order(a_line("GREEN-MUG"), order_id="1002"))

    assert stands(seller) is Standing.WAIT
    assert stands(seller, "#1002") is Standing.ELSEWHERE


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
    assert [sale.oversold for sale in book.sales] == [0, 0, 1]


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


@ON_SQLITE
async def test_the_packing_table_sends_what_is_there_and_gives_up_what_stays_missing(seller: Seller) -> None:
    seller.takes_in(an_order(quantity=1), an_order(quantity=5, order_id="1002"))
    clock, parcels = Hours(), asyncio.Queue[Taken]()
    counter = Counter(clock=clock)
    for number in ("1001", "1002"):
        parcels.put_nowait(Taken(counter, number, f"#{number}", (("RED-CLOCK", 1),), NOW))
    given_up: list[str] = []
    table = PackingTable(
        seller.db,
        clock,
        parcels,
        {"shop": seller.accounts["shop"].account_id},
        OWN,
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
