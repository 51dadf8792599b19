"""The same plan ends in the same trace, whatever order Python hashes in; another seed ends in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from syncd.db.migrate import migrate

_SCRIPT = """
import json, sys
from pathlib import Path
from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.shoppers import Habits
from syncd.simulation.trial.plan import Faults, Plan
from syncd.simulation.trial.run import run_trial

faults = Faults(
    cuts={
        Boundary.COMMITTED: 1 / 300,
        Boundary.ROLLED_BACK: 1 / 500,
        Boundary.SENT: 1 / 100,
        Boundary.REPLIED: 1 / 200,
    },
    long_outages=100,
    long_outage_s=(60, 120),
    short_outages=200,
    exhausted=100,
    revoked=200,
    disk_full=100,
    disk_full_s=(30, 90),
    locked=200,
    frozen=100,
    clock_steps=200,
    clock_wrong_s=(30, 120),
)
plan = Plan(
    int(sys.argv[1]),
    days=900 / 86_400,
    skus=6,
    habits=Habits(orders_per_hour=120.0),
    deliveries_every_s=300,
    typing_every_s=200,
    miscounts_every_s=60,
    damage_every_s=60,
    faults=faults,
)
outcome = run_trial(plan, template=Path(sys.argv[2]))
print(json.dumps({"sha256": outcome.trace_sha256, "events": outcome.events, "happened": outcome.figures.events}))
"""


def begin(seed: int, hash_seed: str, template: Path) -> subprocess.Popen[str]:
    """Begin a short trial with every kind of fault in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(seed), str(template)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told_by(trial: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = trial.communicate(timeout=280)
    assert trial.returncode == 0, errors
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_trace_and_another_seed_another(tmp_path: Path) -> None:
    template = tmp_path / "template.db"
    migrate(f"sqlite:///{template}")

    trials = [begin(7, "1", template), begin(7, "99", template), begin(8, "1", template)]
    first, again, other = [told_by(trial) for trial in trials]

    assert first["events"]["http.answered"] > 100
    assert first["events"]["power.cut"] > 3
    assert first["events"]["weather"] > 3
    assert first["events"]["db.failed"] > 0
    for what in ("shelves counted wrongly", "goods found broken", "steps of the daemon's clock"):
        assert first["happened"][what] > 0, what
    assert again == first
    assert other["sha256"] != first["sha256"]
