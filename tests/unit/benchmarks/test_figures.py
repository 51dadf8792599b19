"""The benchmark's own arithmetic: medians of rounds, targets that look either way, rates that count until the last."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.book.contenders import CONTENDERS
from benchmarks.book.figures import FIGURES, Better, Figure
from benchmarks.book.large import LARGE_FIGURES, large
from benchmarks.book.report import document, save
from benchmarks.book.rounds import chosen, needed
from benchmarks.book.runs import Answered, Run, run_of
from benchmarks.book.shoppers import Demand, shoppers
from benchmarks.plot import draw

FASTER = Figure("faster", "ours to theirs", "ours", "theirs", 2, 4)
QUICKER = Figure("quicker", "how long ours takes", "ours", None, 5, 2, Better.LESS, "ms", lambda ours, _: ours.p99_ms)
SETTING = {
    "rounds": 3,
    "seconds": 1.0,
    "cores": 2,
    "fsync_delay_ms": 0,
    "load_before": [0.1, 0.1, 0.1],
    "load_after": [1.0, 1.0, 1.0],
}


def rounds_of(*rates: tuple[float, float], p99_ms: float = 3.0) -> list[dict[str, Run]]:
    return [{"ours": Run(ours, p99_ms=p99_ms), "theirs": Run(theirs)} for ours, theirs in rates]


def test_a_figure_is_the_median_of_its_rounds_and_not_the_ratio_of_medians() -> None:
    told = document([FASTER], rounds_of((100, 10), (300, 100), (90, 30)), SETTING)

    row = told["rows"][0]

    assert row["rounds"] == [10.0, 3.0, 3.0]
    assert row["ratio"] == 3.0
    assert (row["met"], row["stretch_met"]) == (True, False)


def test_less_is_better_where_a_figure_says_so() -> None:
    met = document([QUICKER], rounds_of((1, 1), p99_ms=5.0), SETTING)["rows"][0]
    missed = document([QUICKER], rounds_of((1, 1), p99_ms=5.1), SETTING)["rows"][0]

    assert (met["met"], met["stretch_met"], missed["met"]) == (True, False, False)


def test_what_has_no_target_is_told_beside_the_rows() -> None:
    told = document([FASTER, Figure("beside", "without a target", "ours", "theirs")], rounds_of((2, 1)), SETTING)

    assert [row["name"] for row in told["rows"]] == ["faster"]
    assert [(row["name"], row["met"]) for row in told["others"]] == [("beside", None)]


def test_a_rate_counts_until_the_last_answer_and_leaves_the_warm_up_out() -> None:
    answered = [Answered("warm", 0.5, 0.9), Answered("a", 0.8, 2.0), Answered("b", 1.5, 5.0)]

    run = run_of(answered, 1.0)

    assert run.rate == pytest.approx(2 / 4.0)
    assert (run.p50_ms, run.p99_ms) == (3500.0, 3500.0)
    assert run.acknowledged == ("warm", "a", "b")


def test_the_same_seed_buys_the_same_and_different_buyers_differ() -> None:
    first, again = (list(islice(shoppers(Demand.SPREAD, 500, 7, "a"), 40)) for _ in range(2))
    other = list(islice(shoppers(Demand.SPREAD, 500, 7, "b"), 40))

    assert first == again
    assert [each.lines for each in first] != [each.lines for each in other]
    assert sum(len(each.lines) for each in first) == 2.5 * len(first)
    assert all(list(each.lines) == sorted(each.lines) for each in first), "as locks are taken"


def test_every_figure_compares_contenders_that_there_are() -> None:
    assert needed(FIGURES, CONTENDERS) == tuple(CONTENDERS), "none runs for nothing"
    assert needed(LARGE_FIGURES, large(10, 10)) == tuple(large(10, 10))
    assert {name for figure in FIGURES for name in figure.needs()} == set(CONTENDERS)
    assert {name for figure in LARGE_FIGURES for name in figure.needs()} == set(large(10, 10))


def test_an_unknown_figure_is_refused() -> None:
    assert chosen(FIGURES, ["hot_vs_saleor"])[0].target == 25
    with pytest.raises(KeyError, match="no_such"):
        chosen(FIGURES, ["no_such"])


def test_the_document_can_be_read_again_and_drawn(tmp_path: Path) -> None:
    told = document([FASTER, QUICKER], rounds_of((100, 10), p99_ms=9.0), SETTING)

    save(told, tmp_path / "out" / "book.json")
    picture = draw(json.loads((tmp_path / "out" / "book.json").read_text()))

    assert picture.startswith("<svg")
    assert "ours to theirs" in picture
    assert "#2e7d32" in picture, "one is met"
    assert "#c62828" in picture, "one is missed"
