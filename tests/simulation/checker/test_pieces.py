"""Whose pieces have left, where a channel and a 3PL each tell of a part."""

from __future__ import annotations

import pytest

from syncd.simulation.checker.pieces import share


@pytest.mark.parametrize(
    ("sold", "fulfilled", "owed", "sent_outside", "left_own_and_wanted"),
    [
        pytest.param(2, 0, 2, 0, (0, 2), id="nothing has left"),
        pytest.param(2, 2, 0, 0, (2, 0), id="all of it from own shelves"),
        pytest.param(1, 0, 1, 1, (0, 0), id="a 3PL has sent it and no channel knows"),
        pytest.param(1, 1, 0, 1, (0, 0), id="a 3PL has sent it and the channel knows"),
        pytest.param(2, 1, 1, 1, (1, 0), id="a line came later, and a 3PL has sent it"),
        pytest.param(3, 1, 2, 1, (1, 1), id="one each, and one still to be sent"),
        pytest.param(0, 0, 0, 1, (0, 0), id="a 3PL has sent what was called off"),
    ],
)
def test_each_piece_is_counted_once(
    sold: int, fulfilled: int, owed: int, sent_outside: int, left_own_and_wanted: tuple[int, int]
) -> None:
    assert share(sold, fulfilled, owed, sent_outside) == left_own_and_wanted
