"""Pains that sellers have reported of other systems' books, each by the number of the survey that lists them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from syncd.db.database import Database
from syncd.fulfilment.ship import ship_order
from syncd.reconcile.audit import audit
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order

BUYERS = 8


@pytest.fixture(autouse=True)
def whole_book(db: Database) -> Iterator[None]:
    yield
    assert audit(db).violations == ()


@ON_POSTGRESQL
def test_pain_3_reservations_made_at_once_never_share_a_unit_nor_lose_an_update(db: Database) -> None:
    """Both checks pass, and the later write of the counter takes the earlier one's place."""
    seller = a_seller(db, {"RED-CLOCK": 5})
    begin = threading.Barrier(BUYERS)

    def buys(number: int) -> None:
        begin.wait()
        seller.takes_in(an_order(order_id=str(number), quantity=1))

    buyers = [threading.Thread(target=buys, args=[number]) for number in range(BUYERS)]
    for each in buyers:
        each.start()
    for each in buyers:
        each.join()

    promised = [number for number in range(BUYERS) if seller.reserved(str(number))]
    assert (len(promised), seller.level().reserved, seller.level().available) == (5, 5, 0)
    assert sum(len(seller.shortages(str(number))) for number in range(BUYERS)) == 3


def test_pain_4_lines_that_share_a_component_are_counted_together(db: Database) -> None:
    """Each line is checked alone, against stock that the line before has not been taken from."""
    kits = {"SET": {"RED-CLOCK": 2, "STAND": 1}, "PAIR": {"RED-CLOCK": 2}}
    seller = a_seller(db, {"RED-CLOCK": 3, "STAND": 9}, listings=kits)

    seller.takes_in(
        an_order(a_line("SET", 1), a_line("PAIR", 1, line_id="2"), a_line("RED-CLOCK", 1, line_id="3")),
        an_order(a_line("RED-CLOCK", 1), a_line("RED-CLOCK", 1, line_id="2"), order_id="1002", placed_minute=1),
    )

    pieces = [
        units for order in ("1001", "1002") for (_, sku, _), units in seller.reserved(order).items() if sku != "STAND"
    ]
    assert (sum(pieces), seller.level().available) == (3, 0)


def test_pain_5_an_order_over_several_places_gets_what_it_wants_and_no_more(db: Database) -> None:
    """Thirteen are wanted and twenty-three allocated."""
    stock = {"hamburg": {"RED-CLOCK": 10}, "berlin": {"RED-CLOCK": 10}, "lyon": {"RED-CLOCK": 10}}
    seller = a_seller(db, stock, warehouses=dict.fromkeys(stock, "own"))

    seller.takes_in(an_order(quantity=13))

    assert sum(seller.reserved().values()) == 13
    assert sum(seller.level(warehouse=place).reserved for place in stock) == 13


def test_pain_6_no_order_of_any_batch_makes_stock_negative(db: Database) -> None:
    """Seven years of stock below zero: what was checked is not what is written."""
    seller = a_seller(db, {"RED-CLOCK": 4})

    for batch in range(3):
        orders = [an_order(order_id=f"{batch}/{n}", quantity=n + 1, placed_minute=n) for n in range(3)]
        seller.takes_in(*orders)

    assert seller.level().available == 0
    assert oversold(seller) == 3 * 6 - 4


@pytest.mark.parametrize("way", [("shipped", "cancelled"), ("cancelled", "cancelled"), ("fulfilled", "cancelled")])
def test_pain_11_nothing_is_released_that_is_not_reserved(db: Database, way: tuple[str, ...]) -> None:
    """ "It is not possible to unreserve more products than you have in stock", and no way out of it."""
    seller = a_seller(db, {"RED-CLOCK": 4})
    seller.takes_in(an_order(quantity=3))

    for minute, step in enumerate(way, start=1):
        if step == "shipped":
            db.transact_now(ship_order, "#1001", None, seller.views(), NOW)
            continue
        gone = 3 if "fulfilled" in way else 0
        state = an_order(quantity=gone, fulfilled=gone, cancelled=step == "cancelled", minute=minute)
        seller.takes_in(state if step == "cancelled" else an_order(quantity=3, fulfilled=3, minute=minute))

    level = seller.level()
    assert (level.reserved, level.short) == (0, 0)
    assert level.on_hand == (4 if way == ("cancelled", "cancelled") else 1)


def oversold(seller: Seller) -> int:
    rows = seller.rows("SELECT sum(quantity) AS n FROM shortage WHERE closed_at IS NULL AND reason = 'oversold'")
    return int(rows[0]["n"])
