"""The simulation's checker folds the ledger by its own statement, on either engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from syncd.db.database import Database
from syncd.reconcile.audit import AuditReport, audit
from syncd.simulation.checker.ledger import read_places, the_audit_sees_as_much, the_ledger_folds
from syncd.simulation.checker.verdict import Verdict
from tests.support.builders import NOW, Seller, a_seller, an_order


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database of its own for each test: spoiling one takes its triggers away."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    """Five red clocks and three blue ones; four orders, one of them cancelled, one oversold."""
    seller = a_seller(db, {"RED-CLOCK": 5, "BLUE-CLOCK": 3})
    seller.takes_in(an_order(order_id="1", quantity=2), an_order(order_id="2", sku="BLUE-CLOCK"))
    seller.takes_in(an_order(order_id="3"), an_order(order_id="4", quantity=9))
    seller.takes_in(an_order(order_id="3", cancelled=True, minute=5))
    return seller


def rules(seller: Seller) -> set[str]:
    verdict = Verdict()
    wrong = the_ledger_folds(seller.db.read_now(read_places), NOW, verdict)
    the_audit_sees_as_much(audit(seller.db), wrong, NOW, verdict)
    return {each.rule for each in verdict.findings}


def test_a_true_ledger_folds_to_its_levels(seller: Seller) -> None:
    assert rules(seller) == set()


@pytest.mark.parametrize(
    ("spoilt", "found"),
    [
        ("UPDATE level SET on_hand = on_hand + 1 WHERE sku_id = 1", {"ledger.fold"}),
        ("UPDATE level SET seq = seq + 1 WHERE sku_id = 1", {"ledger.gap"}),
        ("UPDATE level SET short = 1 WHERE sku_id = 1", {"ledger.short"}),
        ("UPDATE reservation SET quantity = quantity + 1 WHERE order_line_id = 1", {"ledger.reserved"}),
        ("UPDATE reservation SET stage = 'shipped' WHERE order_line_id = 1", {"ledger.reserved"}),
    ],
)
def test_what_does_not_fold_is_found(seller: Seller, spoilt: str, found: set[str]) -> None:
    seller.does(spoilt)

    assert rules(seller) == found


@pytest.mark.parametrize(
    ("gone", "found"),
    [
        ("DELETE FROM movement WHERE sku_id = 1 AND seq = 2", {"ledger.fold", "ledger.gap", "audit.blind"}),
        ("DELETE FROM level WHERE sku_id = 1", {"ledger.level", "audit.blind"}),
    ],
)
def test_an_audit_that_sees_less_is_found(seller: Seller, gone: str, found: set[str]) -> None:
    seller.db.transact_now(behind_its_back, gone)
    nothing = AuditReport({}, (), False, {})
    verdict = Verdict()

    wrong = the_ledger_folds(seller.db.read_now(read_places), NOW, verdict)
    the_audit_sees_as_much(nothing, wrong, NOW, verdict)

    assert {each.rule for each in verdict.findings} == found


def test_an_audit_that_sees_more_is_found() -> None:
    verdict = Verdict()

    the_audit_sees_as_much(AuditReport({}, (), False, {"level.fold": 1}), frozenset(), NOW, verdict)

    assert [each.rule for each in verdict.findings] == ["audit.mistaken"]


def behind_its_back(connection: Connection, statement: str) -> None:
    """Change what the database itself protects."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        connection.execute(text("DROP TRIGGER movement_no_delete"))
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    connection.execute(text(statement))
