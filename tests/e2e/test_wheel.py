"""The wheel, installed elsewhere, runs the demo from an unrelated folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_wheel_brings_all_it_needs_and_runs_the_demo(tmp_path: Path) -> None:
    built = tmp_path / "dist"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built), cwd=ROOT)
    wheel = next(built.glob("syncd-*.whl"))
    home = tmp_path / "home"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    # The dependencies are the development environment's; the project itself comes from the wheel alone.
    site = next((home / "lib").glob("python3*/site-packages"))
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
        cwd=tmp_path,
    )
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = run(str(python), "-c", "import syncd; print(syncd.__file__)", cwd=elsewhere)
    assert where.strip().startswith(str(site)), "the wheel's own code is what runs"

    summary = elsewhere / "summary.json"
    run(str(python), "-m", "syncd", "demo", "--for", "10s", "--seed", "7", "--summary", str(summary), cwd=elsewhere)

    told = json.loads(summary.read_text())
    assert told["orders_expected"] > 0
    assert sum(n for ways in told["orders_in"].values() for n in ways.values()) == told["orders_expected"]
    assert (told["audit_violations"], told["listings_differing"]) == (0, 0)


def run(*command: str, cwd: Path) -> str:
    # Whoever works on two checkouts may have one of them on the path.
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=alone, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
