"""Batches are as large as their time allows, and that time is short only where somebody waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncd.orders.batch_size import ALONE_WITHIN_S, MOST, WITHIN_S, BatchSize


def somebody() -> bool:
    return True


def nobody() -> bool:
    return False


class Engine:
    """One where a batch costs `own_s` and `row_s` an order; what came of its batches is the size of the next."""

    def __init__(self, others_wait: Callable[[], bool] | None, own_s: float, row_s: float) -> None:
        self.size = BatchSize(others_wait)
        self.own_s = own_s
        self.row_s = row_s
        self.at_s = 0.0

    def takes_in(self, batches: int, share_of_orders: float = 1.0) -> int:
        """So many full batches, of which so much is orders. Returns how many rows the next one has."""
        for _ in range(batches):
            orders = int(self.size.limit(self.at_s) * share_of_orders)
            took_s = self.own_s + self.row_s * orders
            self.at_s += took_s
            self.size.took(orders, took_s, self.at_s)
        return self.size.limit(self.at_s)


def test_the_first_batch_takes_all_that_one_may() -> None:
    assert BatchSize(somebody).limit(0.0) == MOST


def test_batches_settle_at_their_time() -> None:
    rows = Engine(somebody, own_s=0.004, row_s=0.0008).takes_in(60)

    assert rows * 0.0008 + 0.004 == pytest.approx(WITHIN_S, rel=0.05)


def test_where_nobody_waits_they_may_take_longer_and_not_for_ever() -> None:
    assert Engine(nobody, own_s=0.004, row_s=0.0008).takes_in(60) == MOST

    slow = Engine(nobody, own_s=0.004, row_s=0.004).takes_in(60)

    assert slow * 0.004 + 0.004 == pytest.approx(ALONE_WITHIN_S, rel=0.05)


def test_the_first_one_that_waits_makes_the_next_batch_short() -> None:
    waits = False
    engine = Engine(lambda: waits, own_s=0.004, row_s=0.0008)
    assert engine.takes_in(10) == MOST

    waits = True

    assert engine.takes_in(0) * 0.0008 < WITHIN_S


def test_what_is_fast_enough_is_taken_in_by_the_largest_batch() -> None:
    assert Engine(somebody, own_s=0.001, row_s=0.00005).takes_in(60) == MOST


def test_a_slow_disk_makes_batches_small_for_as_long_as_it_is_slow() -> None:
    engine = Engine(somebody, own_s=0.004, row_s=0.0008)
    settled = engine.takes_in(60)

    engine.own_s = 2.0
    assert engine.takes_in(5) == 32

    engine.own_s = 0.004
    assert engine.takes_in(60) == pytest.approx(settled, abs=3)


@pytest.mark.parametrize("share_of_orders", [0.9, 0.6, 0.5])
def test_batches_recover_where_many_of_their_rows_are_no_orders(share_of_orders: float) -> None:
    engine = Engine(somebody, own_s=0.004, row_s=0.0008)
    engine.own_s = 2.0
    assert engine.takes_in(5, share_of_orders) == 32

    engine.own_s = 0.004

    assert engine.takes_in(60, share_of_orders) > 50


def test_what_was_slow_is_tried_again_by_itself_where_no_batch_tells() -> None:
    engine = Engine(somebody, own_s=2.0, row_s=0.0008)
    assert engine.takes_in(5) == 32

    engine.own_s = 0.004
    assert engine.takes_in(5, share_of_orders=0.1) == 32
    engine.at_s += 31.0

    assert engine.takes_in(0) == MOST
    assert engine.takes_in(1) < MOST, "and it is learned from"


def test_where_nobody_ever_waits_batches_are_as_large_as_they_may_be() -> None:
    assert Engine(None, own_s=1.0, row_s=1.0).takes_in(60) == MOST


def test_a_batch_of_a_few_orders_says_nothing() -> None:
    size = BatchSize(somebody)
    size.took(15, 5.0, 1.0)
    assert size.limit(1.0) == MOST
