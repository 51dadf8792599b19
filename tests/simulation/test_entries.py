"""What people enter by hand is in the book once, however often it was sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from syncd.simulation import clerk
from syncd.simulation.trial.run import run_trial
from syncd.stock.entries import Entered, Entry, book_entry
from tests.simulation.planted.grounds import ENTERED_BY_HAND

pytestmark = [pytest.mark.sim, pytest.mark.timeout(300)]


def test_goods_that_came_were_moved_or_are_lost_are_booked_once_each(
    schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked: Counter[str] = Counter()

    def noting(connection: Connection, entry: Entry, *rest: object) -> Entered:
        entered = book_entry(connection, entry, *rest)  # type: ignore[arg-type]
        booked["again" if entered.repeated else str(entry.kind)] += 1
        return entered

    monkeypatch.setattr(clerk, "book_entry", noting)

    outcome = run_trial(replace(ENTERED_BY_HAND.plan, seed=4), template=schema)

    assert outcome.findings == []
    assert min(booked[each] for each in ("receipt", "return", "transfer", "adjustment", "again")) > 3, booked
