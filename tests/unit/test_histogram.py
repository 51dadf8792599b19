"""The lag histogram: never too low, at most ten percent too high, whatever is merged with whatever."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.insight.histogram import bucket_of, mean_s, quantile_s, upper_bound_s

LONGEST_S = upper_bound_s(240)
ROUNDING = 1e-9
LAGS = st.floats(min_value=0.001, max_value=LONGEST_S, allow_nan=False)


def histogram(samples: list[float]) -> Counter[int]:
    return Counter(map(bucket_of, samples))


@pytest.mark.parametrize("seconds", [0.0, -0.0, -5.0, -1e9, 0.0005, 0.001])
def test_up_to_a_millisecond_and_before_the_beginning_is_the_first_bucket(seconds: float) -> None:
    assert bucket_of(seconds) == 0


def test_the_first_bucket_ends_at_a_millisecond() -> None:
    assert upper_bound_s(0) == 0.001
    assert bucket_of(0.0010001) == 1


def test_what_is_longer_than_the_longest_is_the_last_bucket() -> None:
    assert LONGEST_S > 90 * 86_400
    assert bucket_of(LONGEST_S * 5) == bucket_of(1e18) == 240


@given(LAGS)
def test_a_lag_is_never_told_too_low_and_at_most_ten_percent_too_high(seconds: float) -> None:
    told = upper_bound_s(bucket_of(seconds))

    assert seconds * (1 - ROUNDING) <= told <= seconds * 1.1 * (1 + ROUNDING)


@given(LAGS, LAGS)
def test_a_longer_lag_is_never_in_an_earlier_bucket(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))

    assert bucket_of(shorter) <= bucket_of(longer)


@given(st.lists(LAGS, min_size=1, max_size=50), st.floats(min_value=0.01, max_value=1.0))
def test_a_quantile_is_at_most_ten_percent_above_the_true_one(samples: list[float], share: float) -> None:
    true = sorted(samples)[math.ceil(len(samples) * share) - 1]

    told = quantile_s(histogram(samples), share)

    assert told is not None
    assert true * (1 - ROUNDING) <= told <= true * 1.1 * (1 + ROUNDING)


@given(st.lists(LAGS, min_size=1, max_size=50))
def test_the_mean_is_at_most_ten_percent_above_the_true_one(samples: list[float]) -> None:
    true = math.fsum(samples) / len(samples)

    told = mean_s(histogram(samples))

    assert told is not None
    assert true * (1 - ROUNDING) <= told <= true * 1.1 * (1 + ROUNDING)


@given(st.lists(LAGS, max_size=30), st.lists(LAGS, max_size=30))
def test_two_histograms_merge_by_adding_up(one: list[float], other: list[float]) -> None:
    assert histogram(one) + histogram(other) == histogram(one + other)


def test_quantiles_do_not_depend_on_the_order_of_buckets() -> None:
    buckets = {90: 5, 10: 5, 50: 90}

    assert quantile_s(buckets, 0.05) == upper_bound_s(10)
    assert quantile_s(buckets, 0.5) == upper_bound_s(50)
    assert quantile_s(buckets, 0.95) == upper_bound_s(50)
    assert quantile_s(buckets, 0.951) == upper_bound_s(90)
    assert quantile_s(buckets, 1.0) == upper_bound_s(90)


@pytest.mark.parametrize("empty", [{}, {7: 0}, {7: 0, 9: 0}])
def test_without_samples_there_is_no_quantile_and_no_mean(empty: dict[int, int]) -> None:
    assert quantile_s(empty, 0.95) is None
    assert mean_s(empty) is None


def test_one_sample_is_every_quantile() -> None:
    buckets = histogram([2.0])

    assert {quantile_s(buckets, share) for share in (0.01, 0.5, 0.99, 1.0)} == {upper_bound_s(bucket_of(2.0))}
