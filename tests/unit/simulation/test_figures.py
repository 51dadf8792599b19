"""What a trial came to, in figures, over one and several seeds, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from syncd.cli.simulate import SimulateOptions, replay
from syncd.simulation.checker.verdict import Excused, Finding
from syncd.simulation.happenings import CLOCK_STEPPED, Arrival, Damage, Happenings, Miscount, Purchase, Spell
from syncd.simulation.trial.document import document_of
from syncd.simulation.trial.figures import (
    ChannelFigures,
    Figures,
    Lag,
    cancelled_by_reason,
    count_events,
    lost_by_truth,
)
from syncd.simulation.trial.interval import Interval
from syncd.simulation.trial.numbers import ALL, intervals_of
from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.report import report_of
from syncd.simulation.trial.run import Outcome
from syncd.simulation.trial.side_by_side import BrokeOff
from syncd.simulation.world import EVERY_VENDOR, make_world, stands

AT = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def a_purchase(
    account: str = "ebay-us", name: str | None = "1", *, unpaid: bool = False, free: bool = True
) -> Purchase:
    return Purchase(account, AT, {"A": 1}, {}, unpaid, by_channel=False, name=name, free=free)


def test_who_was_sent_away_is_told_apart_by_what_was_true() -> None:
    by_amazon = a_purchase(name=None)
    by_amazon.by_channel = True

    lost = lost_by_truth([a_purchase(), a_purchase(name=None), a_purchase(name=None, free=False), by_amazon])

    assert lost == {"sold out at FBA": 1, "though free": 1, "truly sold out": 1}


def test_cancelled_orders_are_told_apart_by_whose_doing_it_was() -> None:
    by_buyer, dropped, paid, short, open_one = (a_purchase(unpaid=n in (1, 2)) for n in range(5))
    for each in (by_buyer, dropped, paid, short):
        each.cancelled_at = LATER
    paid.paid_at = AT
    short.out_of_stock = True

    told = cancelled_by_reason([by_buyer, dropped, paid, short, open_one])

    assert told == {"by the buyer": 2, "never paid": 1, "out of stock": 1}


def test_every_kind_of_event_is_counted() -> None:
    keys = [key for key, _ in stands(EVERY_VENDOR)]
    world = make_world(1, EVERY_VENDOR, dict.fromkeys(keys, 1), 20)
    happenings = Happenings(bursts=3)
    edited, refunded = a_purchase("main-shop"), a_purchase("main-shop")
    edited.edits, refunded.refunded = 2, 1
    happenings.purchases += [edited, refunded, a_purchase(unpaid=True), a_purchase("amazon-us", unpaid=True)]
    happenings.purchases.append(a_purchase(name=None, unpaid=True))
    happenings.arrivals += [Arrival("east", sku, 1, AT) for sku in ("A", "B")] + [Arrival("west", "A", 1, AT)]
    happenings.miscounts.append(Miscount("east", "A", -1, AT))
    happenings.damages.append(Damage("west", "A", 1, LATER))
    happenings.damages.append(Damage("west", "A", 1, LATER, gone=True, lost=True))
    happenings.arrivals.append(Arrival("west", "A", -1, LATER))
    happenings.arrivals += [Arrival("west", "A", -1, LATER, within=True), Arrival("east", "A", 1, LATER, within=True)]
    happenings.entered = 2
    happenings.spells += [Spell(CLOCK_STEPPED, None, AT, LATER), Spell("disk full", None, AT, LATER)]

    assert count_events(happenings, world, LATER) == {
        "purchases": 5,
        "bursts": 3,
        "orders edited": 1,
        "orders refunded after shipping": 1,
        "eBay purchases not paid at once": 1,
        "Amazon orders pending at first": 1,
        "orders shipped by Amazon": 0,
        "numbers typed by hand": 0,
        "deliveries": 2,
        "goods entered by hand": 2,
        "shelves counted wrongly": 1,
        "goods found broken": 1,
        "steps of the daemon's clock": 1,
        "outages": 0,
    }


def an_outcome(seed: int, oversold: int, causes: dict[str, int], lag_s: float | None = 5.0) -> Outcome:
    channel = ChannelFigures(
        10, oversold, causes, {"never paid": 1}, {"though free": 2}, 1.5, 1, Lag(1, 2), Lag(lag_s, 9)
    )
    calm = ChannelFigures(5, 0, {}, {}, {}, 0.5, 0, Lag(None, None), Lag(None, None))
    figures = Figures({"main-shop": channel, "ebay-us": calm}, {"bursts": 2}, 3)
    return Outcome(
        Plan(seed),
        "ab" * 32,
        1.0,
        90_000.0,
        30.0,
        cuts={"after a commit": 2},
        lives_ended={"another one had taken over": seed},
        figures=figures,
    )


def test_several_trials_are_told_by_mean_and_interval() -> None:
    told = intervals_of([an_outcome(1, 2, {"a channel was down": 2}), an_outcome(2, 0, {}, lag_s=None)])

    assert told[("orders", ALL)] == Interval(15.0, 15.0, 15.0, 2)
    assert told[("oversold_units", "main-shop")].mean == 1.0
    assert told[("oversold_units: a channel was down", ALL)].half_width == pytest.approx(12.7062)
    assert told[("placed_to_shown_p50_s", "main-shop")] == Interval(5.0, None, None, 1)
    assert ("placed_to_shown_p50_s", "ebay-us") not in told
    assert told[("power_cuts: after a commit", ALL)].mean == 2.0


def text_of(*outcomes: Outcome) -> str:
    console = Console(width=160, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(report_of(outcomes))
    return captured.get()


def test_people_read_a_table_with_causes_below_their_figure() -> None:
    outcome = an_outcome(1, 2, {"a channel was down": 2})
    outcome.excused.append(Excused("oversold", "P7 other channel", 2))

    lines = [" ".join(line.split()) for line in text_of(outcome).splitlines()]

    assert "oversold units 2 2 – 0" not in lines
    assert "oversold units 2 2 0 0" in lines
    assert lines[lines.index("oversold units 2 2 0 0") + 1] == "a channel was down 2 2 0 0"
    assert "2 x oversold: P7 other channel" in lines
    assert lines[lines.index("starts of the daemon 3") + 1] == "ended: another one had taken over 1"


def test_people_read_means_over_several_seeds() -> None:
    lines = text_of(an_outcome(1, 2, {}), an_outcome(2, 0, {})).splitlines()

    assert lines[0].strip() == "1 days, 2 seeds, mean ± 95 % confidence"
    assert any(line.startswith("oversold units") and "1 ± 12.7" in line for line in lines)


def test_the_trace_of_one_trial_is_one_hash_and_of_several_one_by_seed() -> None:
    one, other = an_outcome(1, 2, {}), an_outcome(2, 0, {})

    assert document_of([one])["trace_sha256"] == "ab" * 32
    assert document_of([one, other])["trace_sha256"] == {"1": "ab" * 32, "2": "ab" * 32}
    assert document_of([BrokeOff(Plan(3), "Deadlock")])["trace_sha256"] is None


def test_programs_read_one_document() -> None:
    bad = an_outcome(2, 0, {})
    bad.findings.append(Finding("orders.missing", "ebay-us/1", AT, "not in the book"))

    told = json.loads(json.dumps(document_of([an_outcome(1, 2, {"x": 2}), bad, BrokeOff(Plan(3), "Deadlock")])))

    assert set(told) == {"plan", "seeds", "trace_sha256", "findings", "figures", "trials"}
    assert told["seeds"] == [1, 2, 3]
    assert told["trace_sha256"] == {"1": "ab" * 32, "2": "ab" * 32}
    assert [(each["seed"], each["rule"]) for each in told["findings"]] == [
        (2, "orders.missing"),
        (3, "trial.broke_off"),
    ]
    assert told["figures"]["oversold_units"]["channels"]["main-shop"]["mean"] == 1.0
    assert told["trials"][0]["figures"]["channels"]["main-shop"]["placed_to_shown"] == {"p50_s": 5.0, "p95_s": 9}
    assert [each["lives_ended"] for each in told["trials"]] == [{"another one had taken over": n} for n in (1, 2)]
    assert told["plan"]["days"] == 1.0
    assert "seed" not in told["plan"]


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ({}, "syncd simulate --seed 9 --trace trace-9.txt"),
        (
            {"days": 0.5, "skus": 12, "orders_per_day": 90.0, "faults": False, "seeds": 20, "jobs": 2},
            "syncd simulate --seed 9 --days 0.5 --skus 12 --orders-per-day 90 --no-faults --trace trace-9.txt",
        ),
        ({"days": 0.1234567891}, "syncd simulate --seed 9 --days 0.1234567891 --trace trace-9.txt"),
    ],
)
def test_a_finding_comes_with_the_command_that_shows_it_again(typed: dict[str, object], command: str) -> None:
    options = SimulateOptions(None, 1, 1, None, None, None, None, None, True, None, False, None)

    assert replay(replace(options, **typed), 9) == command  # type: ignore[arg-type]
