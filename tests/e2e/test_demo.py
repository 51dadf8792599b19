"""The demo's promises to whoever runs it by a script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_the_demo_ends_converged_and_writes_its_figures(tmp_path: Path) -> None:
    target = tmp_path / "summary.json"

    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo", "--for", "12s", "--seed", "7", "--summary", str(target)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "status page: http://127.0.0.1:" in done.stdout
    told = json.loads(target.read_text())
    assert told["orders_expected"] > 0
    assert sum(n for ways in told["orders_in"].values() for n in ways.values()) == told["orders_expected"]
    assert set(told["orders_in"]) == {"main-shop", "outlet"}
    assert sum(told["units_reserved"].values()) > 0
    assert told["pushes"] > 0
    assert told["lag_s"]["placed_to_shown"]["count"] > 0
    assert (told["audit_violations"], told["listings_differing"]) == (0, 0)
    assert {"oversold_units", "rejected_rows", "orders_per_s", "peak_rss_mib"} <= set(told)
