"""Whatever fails in a simulation tells the command that runs just that again."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.gate import SEEDS, replay

ROOT = Path(__file__).parents[2]
GATE = "tests/simulation/test_mutation_gate.py::test_a_planted_bug_is_caught_by_its_rule[one bug]"


def words(command: str) -> list[str]:
    """What pytest is given by `make` when a shell has read the command."""
    (given,) = (word.removeprefix("ARGS=") for word in shlex.split(command) if word.startswith("ARGS="))
    return shlex.split(given)


def test_the_command_names_the_test_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SEEDS, raising=False)

    assert words(replay(GATE)) == [GATE]
    assert "SEEDS" not in replay(GATE)


def test_the_command_keeps_the_seeds_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEEDS, "41-50")

    assert shlex.split(replay(GATE))[:3] == ["make", "sim", "SEEDS=41-50"]
    assert words(replay(GATE)) == [GATE]


def test_a_failing_simulation_prints_its_command(tmp_path: Path) -> None:
    failing = tmp_path / "test_made_up.py"
    failing.write_text(
        "import pytest\n"
        "from tests.simulation.conftest import pytest_runtest_makereport\n"
        "pytestmark = pytest.mark.sim\n"
        "@pytest.mark.parametrize('bug', ['a bug'])\n"
        "def test_it(bug):\n"
        "    raise AssertionError\n"
    )
    (tmp_path / "conftest.py").write_text("from tests.simulation.conftest import pytest_runtest_makereport\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), failing],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)} | {SEEDS: ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    (command,) = (line for line in done.stdout.splitlines() if line.startswith("make sim"))
    assert words(command)[0].endswith("::test_it[a bug]")
