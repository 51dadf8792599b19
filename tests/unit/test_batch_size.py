"""Batches are as large as their time allows."""

from __future__ import annotations

import pytest

from syncd.orders.batch_size import MOST, BatchSize


def settled(within_s: float | None, own_s: float, row_s: float, batches: int = 60) -> BatchSize:
    """The size after so many full batches on an engine where one costs `own_s` and `row_s` a row."""
    size = BatchSize(within_s)
    for _ in range(batches):
        size.took(size.limit, own_s + row_s * size.limit)
    return size


def test_the_first_batch_takes_all_that_one_may() -> None:
    assert BatchSize(0.02).limit == MOST


def test_batches_settle_at_their_time() -> None:
    size = settled(0.02, own_s=0.004, row_s=0.0004)

    assert size.limit * 0.0004 + 0.004 == pytest.approx(0.02, rel=0.05)


def test_what_is_fast_enough_is_taken_in_by_the_largest_batch() -> None:
    assert settled(0.02, own_s=0.001, row_s=0.00005).limit == MOST


def test_a_slow_disk_makes_batches_small_for_as_long_as_it_is_slow() -> None:
    size = settled(0.02, own_s=0.004, row_s=0.0004)
    for _ in range(5):
        size.took(size.limit, 2.0)
    assert size.limit == 32

    for _ in range(40):
        size.took(size.limit, 0.004 + 0.0004 * size.limit)
    assert size.limit == pytest.approx(40, abs=3)


def test_without_a_time_batches_are_as_large_as_they_may_be() -> None:
    assert settled(None, own_s=1.0, row_s=1.0).limit == MOST


def test_a_batch_of_a_few_rows_says_nothing() -> None:
    size = BatchSize(0.02)
    size.took(1, 5.0)
    assert size.limit == MOST
