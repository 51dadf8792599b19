"""A short calm run that came to rest, its truth, and its database to be spoilt."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import pytest

from syncd.db.database import Database
from syncd.simulation.checker.book import Book, read_book
from syncd.simulation.checker.check import check_at_rest
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Truth, gather
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.shoppers import Habits
from syncd.simulation.trial import run
from syncd.simulation.trial.lab import Lab
from syncd.simulation.trial.plan import NO_FAULTS, Plan

T = TypeVar("T")


@dataclass(slots=True)
class AtRest:
    """What was found, and everything that it was found in."""

    outcome: run.Outcome
    verdict: Verdict
    truth: Truth
    scene: Any
    database: Path

    def copy(self, folder: Path) -> Spoilt:
        with sqlite3.connect(self.database) as whole, sqlite3.connect(folder / "syncd.db") as copy:
            whole.backup(copy)
        return Spoilt(self, folder / "syncd.db")


@dataclass(slots=True)
class Spoilt:
    """A database of its own, in which a test does wrong."""

    rest: AtRest
    path: Path

    def sql(self, statement: str, *values: object) -> None:
        """Change it behind the daemon's back. At least one row must be hit."""
        connection = sqlite3.connect(self.path)
        changed = connection.execute(statement, values).rowcount
        connection.commit()
        connection.close()
        assert changed, f"nothing was changed by {statement}"

    def ask(self, statement: str, *values: object) -> Any:
        connection = sqlite3.connect(self.path)
        row = connection.execute(statement, values).fetchone()
        connection.close()
        return row

    def read(self, function: Callable[..., T], *args: Any) -> T:
        db = Database(f"sqlite:///{self.path}")
        try:
            return db.read_now(function, *args)
        finally:
            db.close()

    def book(self) -> Book:
        return self.read(read_book)

    def pieces(self, book: Book) -> Pieces:
        return Pieces(self.rest.scene, self.rest.truth, book)


@pytest.fixture(scope="session")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> AtRest:
    """Twenty busy minutes without a fault."""
    kept: dict[str, Any] = {}
    place = tmp_path_factory.mktemp("rest") / "syncd.db"

    async def keep(lab: Lab) -> Verdict:
        kept["verdict"] = await check_at_rest(lab)
        kept["truth"] = await gather(lab, history=True)
        kept["scene"] = SimpleNamespace(world=lab.world, happenings=lab.happenings, clock=lab.clock)
        with sqlite3.connect(lab.folder / "syncd.db") as whole, sqlite3.connect(place) as copy:
            whole.backup(copy)
        return kept["verdict"]  # type: ignore[no-any-return]

    plan = Plan(
        4, days=1 / 72, skus=20, habits=Habits(orders_per_hour=240.0), faults=NO_FAULTS, deliveries_every_s=1200
    )
    with mock.patch.object(run, "check_at_rest", keep):
        outcome = run.run_trial(plan)
    return AtRest(outcome, kept["verdict"], kept["truth"], kept["scene"], place)


@pytest.fixture
def spoilt(at_rest: AtRest, tmp_path: Path) -> Spoilt:
    return at_rest.copy(tmp_path)


@pytest.fixture
def verdict() -> Verdict:
    return Verdict()


def rules(verdict: Verdict) -> set[str]:
    """The rules that found something."""
    return {each.rule for each in verdict.findings}


def go_short_with_more_elsewhere(spoilt: Spoilt) -> str:
    """Let the goods under a reservation be gone, and be in another warehouse. Returns the order's name."""
    sku, place, order = spoilt.ask(
        "SELECT r.sku_id, r.warehouse_id, o.name FROM reservation r"
        " JOIN order_line l ON l.id = r.order_line_id JOIN sales_order o ON o.id = l.order_id"
        " JOIN warehouse w ON w.id = r.warehouse_id"
        " WHERE r.stage = 'held' AND r.quantity > 0 AND w.kind = 'own'"
        " AND (SELECT count(*) FROM line_component c WHERE c.order_line_id = l.id) = 1 LIMIT 1"
    )
    spoilt.sql(
        "UPDATE level SET on_hand = unavailable, short = reserved WHERE sku_id = ? AND warehouse_id = ?", sku, place
    )
    elsewhere = "SELECT id FROM warehouse WHERE kind = 'own' AND id != ?"
    spoilt.sql(
        f"UPDATE level SET on_hand = reserved + 50, short = 0 WHERE sku_id = ? AND warehouse_id IN ({elsewhere})",
        sku,
        place,
    )
    return str(order)
