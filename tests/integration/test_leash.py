"""What a demo has started ends with it, however the demo ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STARTER = """
import sys, time
from pathlib import Path
from syncd.simulation.processes import Process

started = Process(["{ending}"], Path(sys.argv[1]) / "log", module="tests.support.lingerer")
print(started.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int, within_s: float) -> bool:
    give_up_at = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    return not is_running(pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc whether a process runs")
def test_a_killed_starter_leaves_nothing_running(tmp_path: Path) -> None:
    script = STARTER.format(ending="gently")
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        log = tmp_path / "log"
        give_up_at = time.monotonic() + 30.0
        while "up" not in log.read_text() and time.monotonic() < give_up_at:
            time.sleep(0.05)
        assert is_running(pid)

        os.kill(starter.pid, signal.SIGKILL)

    assert ends(pid, within_s=20.0)
    assert log.read_text().split() == ["up", "gently", "asked"], "it ran with its own arguments and was asked to end"
