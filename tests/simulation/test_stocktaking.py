"""What people find on their shelves is told to the book, and all of it is right in the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.simulation.shelves import Shelves
from syncd.simulation.trial.plan import HOUR_S
from syncd.simulation.trial.run import Outcome, run_trial
from syncd.simulation.world import make_world
from tests.simulation.gate import look
from tests.simulation.planted.grounds import CALM_SHOPS, SHOPS, SHORT_OF_STOCK

pytestmark = pytest.mark.timeout(300)


def events_of(outcome: Outcome, what: str) -> int:
    assert outcome.figures is not None
    return outcome.figures.events[what]


@pytest.mark.sim
def test_shelves_that_were_counted_wrongly_and_goods_that_broke_leave_nothing_wrong(schema: Path) -> None:
    outcome = run_trial(replace(SHORT_OF_STOCK.plan, seed=8), template=schema)

    assert outcome.findings == []
    assert events_of(outcome, "shelves counted wrongly") > 5
    assert events_of(outcome, "goods found broken") > 1
    misled = [each for each in outcome.excused if "a shelf counted wrongly" in str(each)]
    assert misled, "somebody bought what was never there"


@pytest.mark.sim
def test_a_book_that_hears_of_no_correction_is_found_out(schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody_counts_again(*_: object) -> None:
        """Whoever counted wrongly leaves it at that."""

    monkeypatch.setattr("syncd.simulation.stocktaking.Stocktaking._correct", nobody_counts_again)

    assert "stock.physical" in look(SHORT_OF_STOCK, 8, schema).rules


@pytest.mark.sim
def test_a_book_that_hears_of_no_damage_is_found_out(schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.simulation.stocktaking.Stocktaking._broken", lambda *_: {})

    assert "stock.unavailable" in look(SHORT_OF_STOCK, 8, schema).rules


def test_broken_pieces_are_counted_and_not_sent() -> None:
    world = make_world(1, SHOPS, {}, 6)
    place, pieces = next((place, pieces) for place, pieces in sorted(world.stock.items()) if pieces > 2)
    shelves = Shelves(world)

    shelves.break_pieces(place, 2)

    assert shelves.count(place) == pieces
    assert shelves.hold({place: pieces - 2})
    assert not shelves.hold({place: pieces - 1})
    shelves.throw_away(place, 2)
    assert shelves.count(place) == pieces - 2
    assert shelves.broken(place) == 0


def test_grounds_have_neither_unless_they_ask_for_it() -> None:
    assert min(CALM_SHOPS.plan.miscounts_every_s, CALM_SHOPS.plan.damage_every_s) > 24 * HOUR_S
