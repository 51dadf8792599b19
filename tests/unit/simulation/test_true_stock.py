"""What is truly free, as nobody in a run knows it, and how long nobody could buy it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.simulation.goods import Article
from syncd.simulation.happenings import Arrival
from syncd.simulation.true_stock import TrueStock, units_hidden
from syncd.simulation.world import TWO_SHOPS, Cast, World

AT = datetime(2026, 11, 27, tzinfo=UTC)
PLAIN = Article("CLOCK", "Clock", 1.0, "9.00", ("main-shop", "outlet"))
PACK = Article("CLOCK-X3", "Three clocks", 1.0, "9.00", ("main-shop",), (("CLOCK", 3),))


def a_seller(main: tuple[str, ...], outlet: tuple[str, ...], east: int, west: int) -> World:
    pools = {"main-shop": main, "outlet": outlet}
    channels = tuple(replace(each, warehouses=pools[each.key]) for each in TWO_SHOPS.channels)
    cast = Cast(channels, TWO_SHOPS.warehouses, TWO_SHOPS.assortments, 1)
    stock = {("CLOCK", "east"): east, ("CLOCK", "west"): west}
    return World(1, cast, (PLAIN, PACK), stock, {}, faults=False)


def test_what_one_shop_sells_is_gone_for_the_other() -> None:
    stock = TrueStock(a_seller(("east", "west"), ("west", "east"), 2, 3), AT)

    stock.sell("outlet", [("CLOCK", 4)], AT)

    assert stock.free("main-shop", "CLOCK") == 1
    assert stock.covers("main-shop", [("CLOCK", 1)])
    assert not stock.covers("main-shop", [("CLOCK", 2)])


def test_a_pack_takes_its_pieces_and_gives_them_back() -> None:
    stock = TrueStock(a_seller(("east", "west"), ("west",), 2, 3), AT)

    assert stock.covers("main-shop", [("CLOCK-X3", 1), ("CLOCK", 2)])
    assert not stock.covers("main-shop", [("CLOCK-X3", 1), ("CLOCK", 3)])
    stock.sell("main-shop", [("CLOCK-X3", 1)], AT)
    assert stock.free("main-shop", "CLOCK") == 2
    stock.sell("main-shop", [("CLOCK-X3", -1)], AT)
    assert stock.free("main-shop", "CLOCK") == 5


@pytest.mark.parametrize(("sold", "main", "outlet"), [(0, 5, 3), (2, 3, 3), (4, 1, 1), (6, -1, -1)])
def test_a_shop_with_a_wider_pool_is_served_from_where_the_other_cannot_be(sold: int, main: int, outlet: int) -> None:
    stock = TrueStock(a_seller(("east", "west"), ("west",), 2, 3), AT)

    stock.sell("main-shop", [("CLOCK", sold)], AT)

    assert (stock.free("main-shop", "CLOCK"), stock.free("outlet", "CLOCK")) == (main, outlet)


def test_what_lies_where_a_shop_may_not_sell_from_is_not_free_for_it() -> None:
    stock = TrueStock(a_seller(("east",), ("west",), 2, 0), AT)

    assert (stock.free("main-shop", "CLOCK"), stock.free("outlet", "CLOCK")) == (2, 0)


def test_goods_count_from_the_instant_of_their_arrival() -> None:
    arrivals: list[Arrival] = []
    stock = TrueStock(a_seller(("east",), ("west",), 0, 0), AT, arrivals)

    arrivals.append(Arrival("east", "CLOCK", 4, AT + timedelta(hours=1)))
    stock.sell("main-shop", [("CLOCK", 1)], AT + timedelta(hours=2))

    assert stock.history("main-shop", "CLOCK") == [
        (AT, 0),
        (AT + timedelta(hours=1), 4),
        (AT + timedelta(hours=2), 3),
    ]


def hours(*steps: tuple[float, int]) -> list[tuple[datetime, int]]:
    return [(AT + timedelta(hours=hour), units) for hour, units in steps]


@pytest.mark.parametrize(
    ("free", "shown", "hidden"),
    [
        (hours((0, 5)), hours((0, 5)), 0.0),
        (hours((0, 5)), hours((0, 3)), 20.0),
        (hours((0, 5), (4, 2)), hours((0, 3)), 8.0),
        (hours((0, 5)), hours((0, 9)), 0.0),
        (hours((0, -3)), hours((0, 0)), 0.0),
        (hours((0, 2)), hours((0, -4)), 20.0),
        (hours((0, 2)), hours((0, 0), (2.5, 2)), 5.0),
        (hours((-7, 5), (99, 0)), hours((-3, 3), (99, 0)), 20.0),
    ],
)
def test_hidden_units_are_counted_by_the_hour(
    free: list[tuple[datetime, int]], shown: list[tuple[datetime, int]], hidden: float
) -> None:
    assert units_hidden(free, shown, AT, AT + timedelta(hours=10)) == pytest.approx(hidden)
