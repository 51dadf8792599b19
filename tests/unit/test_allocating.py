"""What an order's wants are put to the policy with."""

from __future__ import annotations

from datetime import UTC, datetime

from allocation import Policy
from syncd.orders.allocate import allocate
from syncd.orders.book import AccountView, LineBook, OrderBook, PoolWarehouse, Rate
from syncd.stock.ledger import Ledger, Level

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
CLOCK = 7
EAST = PoolWarehouse(1, "east", 0, True, "US", "10001", (Rate("US:941", 900, 10), Rate("domestic", 500, 10)))
WEST = PoolWarehouse(2, "west", 1, True, "US", "94103", (Rate("US:941", 400, 10), Rate("domestic", 800, 10)))


def an_account(policy: Policy) -> AccountView:
    return AccountView(1, "shop", True, policy, 1.0, 2.0, 60.0, (EAST, WEST))


def a_ledger() -> Ledger:
    return Ledger({(CLOCK, 1): Level(on_hand=9, reserved=2), (CLOCK, 2): Level(on_hand=9, unavailable=8)}, "test", NOW)


def bound_for(postcode_prefix: str) -> OrderBook:
    return OrderBook(1, "1001", country="US", postcode_prefix=postcode_prefix)


def a_line() -> LineBook:
    return LineBook("1", NOW, components=((CLOCK, 1),), quantity=1)


def test_each_destination_has_terms_of_its_own_whichever_was_asked_for_before() -> None:
    account = an_account(Policy.CHEAPEST)

    chosen = [
        [int(share.warehouse) for share in allocate([a_line()], [1], bound_for(to), account, a_ledger()).shares]
        for to in ("100", "941", "100", "941")
    ]

    assert chosen == [[1], [2], [1], [2]]


def test_the_nearest_warehouse_depends_on_the_destination() -> None:
    account = an_account(Policy.NEAREST)

    chosen = [
        [int(share.warehouse) for share in allocate([a_line()], [1], bound_for(to), account, a_ledger()).shares]
        for to in ("100", "941")
    ]

    assert chosen == [[1], [2]]


def test_what_is_free_is_what_is_there_without_what_is_damaged_or_promised() -> None:
    assert [a_ledger().free([CLOCK, 8], place) for place in (1, 2, 3)] == [
        {CLOCK: 7, 8: 0},
        {CLOCK: 1, 8: 0},
        {CLOCK: 0, 8: 0},
    ]
