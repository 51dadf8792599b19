"""What goes wrong in a trial ends with its weather."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.simulation.kit.life import Life
from syncd.simulation.kit.loop import VirtualWall
from syncd.simulation.shoppers import Habits
from syncd.simulation.trial.plan import DAY_S, NO_FAULTS, Plan
from syncd.simulation.trial.run import run_trial
from tests.simulation.planted.grounds import SHOP


class Frozen:
    """Notes which lives are frozen and thawed, by name and in this order."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.noted: list[str] = []
        freeze, thaw = Life.freeze, Life.thaw

        def noting_freeze(life: Life) -> None:
            self.noted.append(f"{life.name} frozen")
            freeze(life)

        def noting_thaw(life: Life) -> None:
            self.noted.append(f"{life.name} thawed")
            thaw(life)

        patch.setattr(Life, "freeze", noting_freeze)
        patch.setattr(Life, "thaw", noting_thaw)


def test_a_machine_that_is_frozen_when_the_weather_ends_goes_on_and_learns_that_another_has_taken_over(
    schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = Frozen(monkeypatch)
    longer_than_the_trial = replace(NO_FAULTS, frozen=DAY_S / 60.0, frozen_s=(DAY_S, DAY_S))
    habits = Habits(orders_per_hour=60.0)
    plan = Plan(2, days=600.0 / DAY_S, cast=SHOP, skus=6, habits=habits, faults=longer_than_the_trial)

    outcome = run_trial(plan, template=schema)

    assert frozen.noted == ["daemon-1 frozen", "daemon-1 thawed"]
    assert outcome.lives_ended["another one had taken over"] == 1
    assert outcome.findings == []


def test_a_clock_that_is_wrong_when_the_weather_ends_is_set_right(
    schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []
    step = VirtualWall.step

    def noting_step(wall: VirtualWall, seconds: float) -> None:
        steps.append(seconds)
        step(wall, seconds)

    monkeypatch.setattr(VirtualWall, "step", noting_step)
    longer_than_the_trial = replace(NO_FAULTS, clock_steps=DAY_S / 60.0, clock_wrong_s=(DAY_S, DAY_S))
    habits = Habits(orders_per_hour=60.0)

    outcome = run_trial(
        Plan(1, days=600.0 / DAY_S, cast=SHOP, skus=6, habits=habits, faults=longer_than_the_trial), template=schema
    )

    assert len(steps) == 2
    assert 60.0 <= abs(steps[0]) <= 300.0
    assert sum(steps) == 0.0
    assert outcome.findings == []
