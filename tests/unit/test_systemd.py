"""What systemd itself says of the units."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from syncd.cli import EXIT_CONFIG
from syncd.last_resort import DRAIN_S

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = ("syncd.service", "syncd-failed@.service")
EXPOSURE_AT_MOST = 15  # in tenths

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt install systemd"
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder of their own, with a program that is there in the place of ours."""
    for name in UNITS:
        unit = (SYSTEMD / name).read_text()
        (tmp_path / name).write_text(unit.replace("/opt/syncd/bin/syncd", "/bin/true"))
    return tmp_path


def analyze(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_LOG_COLOR": "0"},
    )


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_against_a_unit(units: Path, unit: str) -> None:
    done = analyze("verify", f"./{unit}", folder=units)

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_what_verifies_a_unit_finds_what_is_wrong(units: Path) -> None:
    unit = units / "syncd.service"
    unit.write_text(unit.read_text().replace("Type=notify", "Type=sometimes").replace("OnFailure=", "OnFailing="))

    told = analyze("verify", "./syncd.service", folder=units).stderr

    assert "sometimes" in told
    assert "OnFailing" in told


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardly_exposed(units: Path, unit: str) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_AT_MOST}", f"./{unit}", folder=units)

    assert done.returncode == 0, done.stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) <= EXPOSURE_AT_MOST / 10


@needs_systemd
def test_what_measures_the_exposure_does_measure_it(units: Path) -> None:
    unit = units / "syncd.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "").replace("CapabilityBoundingSet=", ""))

    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_AT_MOST}", "./syncd.service", folder=units)

    assert done.returncode != 0


def test_the_unit_waits_longer_than_the_daemon_takes_to_end() -> None:
    waits = re.search(r"(?m)^TimeoutStopSec=([0-9]+)$", (SYSTEMD / "syncd.service").read_text())

    assert waits is not None
    assert DRAIN_S < 20.0 < int(waits[1]) - 5


def test_whoever_gives_up_tells_a_person() -> None:
    unit = (SYSTEMD / "syncd.service").read_text().splitlines()
    teller = (SYSTEMD / "syncd-failed@.service").read_text().splitlines()

    assert "OnFailure=syncd-failed@%N.service" in unit
    assert "ExecStart=/opt/syncd/bin/syncd alert stopped %i.service -c /etc/syncd/syncd.toml" in teller
    assert f"RestartPreventExitStatus={EXIT_CONFIG}" in teller


def test_both_units_read_the_same_configuration_as_the_same_user_in_the_same_folder() -> None:
    both = [set((SYSTEMD / name).read_text().splitlines()) for name in UNITS]

    for line in ("User=syncd", "Group=syncd", "StateDirectory=syncd", "WorkingDirectory=/var/lib/syncd"):
        assert all(line in lines for lines in both), line
