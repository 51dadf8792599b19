"""`syncd simulate` from the command line, with days of minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.side_by_side import BrokeOff, run_side_by_side
from syncd.simulation.world import EVERY_VENDOR

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHORT = ["--days", "0.02", "--skus", "12", "--orders-per-day", "1500"]


def syncd(*words: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncd", "simulate", *words],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_same_seed_tells_the_same_however_many_run_at_a_time(tmp_path: Path) -> None:
    saved, trace = tmp_path / "orders.csv", tmp_path / "trace.txt"
    alone = document(
        syncd(*SHORT, "--seed", "3", "--json", "--save-orders", str(saved), "--trace", str(trace), hash_seed="1")
    )
    both = document(syncd(*SHORT, "--seed", "3", "--seeds", "2", "--jobs", "2", "--json", hash_seed="99"))

    assert set(alone) == {"plan", "seeds", "trace_sha256", "findings", "figures", "trials"}
    assert alone["findings"] == []
    assert len(alone["trace_sha256"]) == 64
    assert both["trace_sha256"].keys() == {"3", "4"}
    assert both["trace_sha256"]["3"] == alone["trace_sha256"] != both["trace_sha256"]["4"]
    assert both["trials"][0]["figures"] == alone["trials"][0]["figures"]
    assert both["seeds"] == [3, 4]
    assert {"orders", "oversold_units", "cancelled_orders", "lost_sales", "hidden_unit_hours", "split_orders"} <= set(
        alone["figures"]
    )
    assert set(alone["figures"]["orders"]["channels"]) == {"main-shop", "amazon-us", "ebay-us"}
    assert alone["figures"]["orders"]["mean"] > 0
    assert both["figures"]["orders"]["n"] == 2
    assert trace.read_text().count("http.sent") > 100
    assert saved.read_text().startswith("placed_at,channel,order,sku,quantity")


def test_a_file_of_orders_is_placed_and_told_in_a_table(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    rows = [f"2026-01-05T09:{minute:02d}:00+01:00,main-shop,{minute},CLOCK-{minute % 4},2" for minute in range(20)]
    rows.append("2026-01-05T09:03:30+01:00,ebay-us,1,CLOCK-1,1")
    file.write_text("\n".join(["placed_at,channel,order,sku,quantity", *rows]) + "\n")

    done = syncd("--orders", str(file), "--no-faults")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "amazon-us has no order in the file and takes no part" in done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["figure", "all", "main-shop", "ebay-us"] in lines
    assert ["purchases", "21"] in lines


def test_wrong_input_is_told_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("placed_at,channel,order,sku,quantity\nsoon,shop,1,A,1\n")

    no_days, bad_rows = syncd("--days", "0"), syncd("--orders", str(file))

    assert no_days.returncode == 2
    assert "--days 0 cannot be" in no_days.stderr
    assert bad_rows.returncode == 1
    assert "line 2, column placed_at: 'soon' is not an instant" in bad_rows.stderr
    assert "line 2, column channel: 'shop' is no account here. Did you mean main-shop?" in bad_rows.stderr


def test_a_trial_that_breaks_off_is_told_with_its_story() -> None:
    nobody = replace(EVERY_VENDOR, channels=())

    (ended,) = run_side_by_side([Plan(5, cast=nobody)], 1, lambda passed: None)

    assert isinstance(ended, BrokeOff)
    assert ended.plan.seed == 5
    assert "Traceback" in ended.story
