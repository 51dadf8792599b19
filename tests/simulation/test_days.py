"""Whole days of the default plan, each from a seed: everything may go wrong, and nothing may be wrong at its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.run import run_trial

pytestmark = [pytest.mark.sim, pytest.mark.timeout(900)]


def seeds() -> range:
    """The seeds to try, as SYNCD_SIM_SEEDS names them: `7`, or `1-10`."""
    first, _, last = os.environ.get("SYNCD_SIM_SEEDS", "1-10").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
def test_a_day_of_faults_ends_with_everything_right(seed: int, schema: Path) -> None:
    outcome = run_trial(Plan(seed), template=schema)

    replay = f"replay it: syncd simulate --days 1 --seed {seed} --trace trace.txt"
    assert outcome.findings == [], replay
    assert outcome.quiet_after_s is not None, f"never at rest: {outcome.awaited}; {replay}"
    assert sum(outcome.cuts.values()) > 10, "power was cut often enough for the day to prove something"
    assert outcome.events["http.sent"] > 1000, "the daemon was at work"
