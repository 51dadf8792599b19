"""What else would grow for years: decisions are written when something was decided, and old rows are found by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from syncd.db.database import Database
from syncd.reconcile.tidy import tidy
from tests.support.builders import NOW, a_seller, an_order

DECISIONS = "SELECT id, length(inputs) + length(outcome) AS size FROM decision WHERE kind = 'allocation'"
PRUNING = ("UPDATE inbox SET body", "DELETE FROM inbox", "DELETE FROM push_batch", "DELETE FROM decision")


def test_an_order_that_comes_again_without_a_new_plan_writes_no_decision(db: Database) -> None:
    places = {name: {"RED-CLOCK": 3} for name in ("hamburg", "berlin", "leeds")}
    seller = a_seller(db, places, warehouses={"hamburg": "own", "berlin": "3pl", "leeds": "3pl"})
    seller.takes_in(an_order(quantity=20))
    (first,) = seller.rows(DECISIONS)
    assert first["size"] < 2_000

    for minute in range(1, 9):
        seller.takes_in(an_order(quantity=20, minute=minute))
    seller.takes_in(an_order(quantity=9, minute=10), an_order(quantity=9, cancelled=True, minute=11))

    assert seller.rows(DECISIONS) == [first]


def test_an_order_that_wants_more_writes_one_decision_each_time(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 30})

    for minute in range(4):
        seller.takes_in(an_order(quantity=1 + minute, minute=minute))

    assert len(seller.rows(DECISIONS)) == 4


def plans(connection: Connection, function: Callable[..., Any], *given: Any) -> dict[str, str]:
    """How the engine finds the rows of each statement that pruning runs, when it cannot read everything."""
    run: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        run.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    function(connection, *given)
    event.remove(connection, "before_cursor_execute", note)
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan"))
    found = {}
    for statement, values in run:
        what = next((each for each in PRUNING if statement.startswith(each)), None)
        if what is None or "erase_asked_at" in statement:
            continue
        rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}", values)
        found[what] = "\n".join(str(row[-1]) for row in rows)
    return found


@pytest.mark.parametrize(
    ("what", "index"),
    [
        ("UPDATE inbox SET body", "ix_inbox_settled"),
        ("DELETE FROM inbox", "ix_inbox_prunable"),
        ("DELETE FROM push_batch", "ix_push_batch_settled"),
        ("DELETE FROM decision", "ix_decision_publication"),
    ],
)
def test_what_is_old_is_found_by_an_index(db: Database, what: str, index: str) -> None:
    a_seller(db, {"RED-CLOCK": 1})

    found = db.transact_now(plans, tidy, 100, NOW)

    assert index in found[what]
