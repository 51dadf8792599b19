"""Means and confidence intervals over several trials."""

from __future__ import annotations

import math

import pytest

from syncd.simulation.trial.interval import interval_of, student_t_95


@pytest.mark.parametrize(("degrees", "t"), [(1, 12.7062), (4, 2.7764), (9, 2.2622), (30, 2.0423)])
def test_few_trials_take_students_t_from_the_table(degrees: int, t: float) -> None:
    assert student_t_95(degrees) == t


@pytest.mark.parametrize(("degrees", "t"), [(31, 2.0395), (40, 2.0211), (60, 2.0003), (120, 1.9799), (999, 1.9623)])
def test_many_trials_take_it_by_expansion(degrees: int, t: float) -> None:
    assert student_t_95(degrees) == pytest.approx(t, abs=1e-4)


def test_an_interval_lies_around_the_mean() -> None:
    interval = interval_of([2.0, 4.0, 6.0])

    assert interval is not None
    assert (interval.mean, interval.n) == (4.0, 3)
    assert interval.half_width == pytest.approx(4.3027 * 2.0 / math.sqrt(3))
    assert interval.low == pytest.approx(4.0 - 4.3027 * 2.0 / math.sqrt(3))


def test_trials_that_agree_leave_no_doubt() -> None:
    interval = interval_of([7.0, 7.0])

    assert interval is not None
    assert (interval.low, interval.high) == (7.0, 7.0)


def test_one_trial_alone_has_no_interval_and_none_has_nothing() -> None:
    alone = interval_of([3.0])

    assert alone is not None
    assert (alone.mean, alone.low, alone.half_width) == (3.0, None, None)
    assert interval_of([]) is None
