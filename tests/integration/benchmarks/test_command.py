"""`python -m benchmarks.book` from its arguments to its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.book.command import main

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_one_figure_of_a_small_seller_is_measured_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "book.json"

    ended = main(["--quick", "--only", "spread_vs_batch_in_server", "--skus", "60", "--out", str(out)])

    told = json.loads(out.read_text())
    assert ended == 0
    assert [row["name"] for row in told["rows"]] == ["spread_vs_batch_in_server"]
    assert told["rows"][0]["ratio"] > 0
    assert len(told["rows"][0]["rounds"]) == told["setting"]["rounds"] == 1
    assert {row["name"] for row in told["rates"]} == {"core, spread, 256 producers", "batch in the server, spread"}
    assert "Figures" in capsys.readouterr().out


def test_an_unknown_figure_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no_such"]) == 2

    told = capsys.readouterr().err
    assert "no_such" in told
    assert "hot_vs_saleor" in told
