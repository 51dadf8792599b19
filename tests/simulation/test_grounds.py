"""Grounds on which no bug is planted: what they bring is met by a daemon that is right, and nothing is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.gate import look
from tests.simulation.planted.bug import Ground
from tests.simulation.planted.grounds import CLOCK_STEPS, ENTERED_BY_HAND, SEVERAL_POOLS

pytestmark = [pytest.mark.sim, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("ground", [SEVERAL_POOLS, CLOCK_STEPS, ENTERED_BY_HAND], ids=lambda ground: ground.name)
def test_nothing_is_found_where_nothing_is_wrong(ground: Ground, seed: int, schema: Path) -> None:
    assert look(ground, seed, schema).findings == ()
