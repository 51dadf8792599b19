"""Chance: the same seed and stream draw the same, and streams do not disturb each other."""

from __future__ import annotations

import uuid

import pytest

from syncd.chance import SeededRng, SystemRng


def draws(rng: SeededRng) -> tuple[object, ...]:
    return rng.random(), rng.uniform(2.0, 3.0), rng.randrange(1000), rng.uuid()


def test_the_same_seed_and_stream_draw_the_same() -> None:
    assert draws(SeededRng(7, "shoppers")) == draws(SeededRng(7, "shoppers"))


def test_draws_stay_the_same_from_release_to_release() -> None:
    """A failing seed in a bug report must fail everywhere."""
    rng = SeededRng(7, "shoppers")

    assert [rng.randrange(1000) for _ in range(5)] == [742, 719, 372, 670, 701]
    assert str(rng.uuid()) == "cac0a54e-d3c5-4c6c-8553-2f7905d3f594"


@pytest.mark.parametrize(("seed", "stream"), [(8, "shoppers"), (7, "faults"), ("7/shop", "pers"), (7, "")])
def test_another_seed_or_stream_draws_something_else(seed: int | str, stream: str) -> None:
    assert draws(SeededRng(seed, stream)) != draws(SeededRng(7, "shoppers"))


def test_one_stream_does_not_disturb_another() -> None:
    alone = SeededRng(7, "shoppers")
    expected = [alone.random() for _ in range(10)]
    shoppers, faults = SeededRng(7, "shoppers"), SeededRng(7, "faults")

    drawn = []
    for _ in range(10):
        faults.random()
        drawn.append(shoppers.random())

    assert drawn == expected


def test_draws_lie_where_they_should() -> None:
    rng = SeededRng(1, "range")

    assert all(0.0 <= rng.random() < 1.0 for _ in range(1000))
    assert all(2.0 <= rng.uniform(2.0, 3.0) <= 3.0 for _ in range(1000))
    assert {rng.randrange(3) for _ in range(1000)} == {0, 1, 2}


def test_a_range_of_nothing_has_no_draw() -> None:
    with pytest.raises(ValueError, match="empty range"):
        SeededRng(1, "range").randrange(0)


def test_ids_are_version_four_and_differ() -> None:
    rng = SeededRng(1, "ids")

    ids = {rng.uuid() for _ in range(1000)}

    assert len(ids) == 1000
    assert {each.version for each in ids} == {4}
    assert {each.variant for each in ids} == {uuid.RFC_4122}


def test_every_start_of_the_daemon_draws_anew() -> None:
    assert draws(SystemRng()) != draws(SystemRng())
