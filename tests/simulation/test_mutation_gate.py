"""The simulation goes on finding each planted bug by its own rule, and finds nothing in the true code.

Both run with the same plan and seed: what is found is the bug's.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.gate import look
from tests.simulation.planted import BUGS
from tests.simulation.planted.bug import Ground, PlantedBug

pytestmark = [pytest.mark.sim, pytest.mark.timeout(600)]

_EXAMPLES = 10
Clean = Callable[[Ground, int], tuple[str, ...]]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """One folder for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(pytestconfig, "workerinput") else own


@pytest.fixture(scope="session")
def clean(shared_folder: Path, schema: Path) -> Clean:
    """What is found in the true code, by ground and seed: looked for once, whoever asks first."""

    def found(ground: Ground, seed: int) -> tuple[str, ...]:
        kept = shared_folder / f"clean {ground.name} {seed}.json"
        with kept.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            if text := file.read():
                return tuple(json.loads(text))
            findings = tuple(map(str, look(ground, seed, schema).findings))
            file.write(json.dumps(findings))
            return findings

    return found


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught_by_its_rule(bug: PlantedBug, schema: Path, clean: Clean) -> None:
    instead: list[str] = []
    for seed in bug.seeds:
        with bug.planted():
            found = look(bug.ground, seed, schema)
        true = clean(bug.ground, seed)
        assert not true, f"the true code fails on {bug.ground.name!r} with seed {seed}: {true}"
        if not found.rules.isdisjoint(bug.caught_by):
            return
        instead += [f"seed {seed}: {each}" for each in found.findings[:_EXAMPLES]]
    found_instead = "; found instead:\n" + "\n".join(instead) if instead else " and nothing else is found"
    rules, where = " or ".join(bug.caught_by), f"{bug.ground.name!r} with seeds {bug.seeds}"
    pytest.fail(f"{bug.name} is not caught by {rules} on {where}{found_instead}")
