"""Whatever a hand writes into the book: the audit goes through, and names what is no number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import CheckConstraint, text
from sqlalchemy.exc import DataError

from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.db.tables import metadata
from syncd.reconcile.audit import CHECKS, AuditReport
from syncd.reconcile.checks import Check
from syncd.reconcile.lanes import audit_in_lanes
from syncd.reconcile.pages import read_page
from tests.integration.book.kept_book import a_kept_book, corrupt

NUMBERS = (
    ("level", "on_hand"),
    ("level", "unavailable"),
    ("level", "reserved"),
    ("level", "short"),
    ("level", "seq"),
    ("level", "archived_seq"),
    ("movement", "d_on_hand"),
    ("movement", "d_unavailable"),
    ("movement", "d_reserved"),
    ("reservation", "quantity"),
    ("order_line", "quantity"),
    ("order_line", "fulfilled"),
    ("order_line", "shipped"),
    ("line_component", "units"),
    ("listing_component", "units"),
    ("shortage", "quantity"),
    ("hold", "quantity"),
    ("cell", "anchor_value"),
    ("cell", "sold_hi"),
    ("sku", "safety_stock"),
    ("listing", "buffer"),
    ("listing", "cap"),
)
NO_NUMBERS = ("coalesce({column}, 0) + 0.5", "'abc'", "9223372036854775807", "-9223372036854775808", "0.5")
EXTREMES = ("2147483647", "-2147483648", "1073741823", "0")
A_HOLD = (
    "INSERT INTO hold (listing_id, quantity, kind, from_at, to_at, expires_at, opened_at)"
    " SELECT id, 1, 'shortfall', 0, 0, 0, 0 FROM listing"
)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database of its own for each test: corrupting one takes its triggers and checks away."""
    database = Database(database_url)
    yield database
    database.close()


def without_checks(table: str) -> list[str]:
    """Statements that have PostgreSQL take anything its columns can hold; `corrupt` does so for SQLite."""
    names = [each.name for each in metadata.tables[table].constraints if isinstance(each, CheckConstraint)]
    return [f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}" for name in names]


def takes(db: Database, statement: str) -> bool:
    """Whether the database can hold it: not where a column that it derives would overflow."""
    try:
        corrupt(db, statement)
    except DataError:
        return False
    return True


def audited(db: Database) -> AuditReport:
    """By sweeps, two at once, and by each rule for itself, as the daemon asks them: both name the same."""
    report = audit_in_lanes(db)
    alone = {check.rule: sum(broken_by_page(db, check)) for check in CHECKS}
    assert report.failed == {}
    assert {rule: n for rule, n in report.counted.items() if n} == {rule: n for rule, n in alone.items() if n}
    return report


def broken_by_page(db: Database, check: Check) -> Iterator[int]:
    page = db.read_now(read_page, check, None)
    while page.last is not None:
        yield len(page.broken)
        page = db.read_now(read_page, check, page.last)


@pytest.mark.parametrize(("table", "column"), NUMBERS, ids=lambda name: name)
def test_no_number_stops_the_audit(db: Database, table: str, column: str) -> None:
    a_kept_book(db)
    corrupt(db, A_HOLD)
    if not is_sqlite(db.url):
        corrupt(db, *without_checks(table))

    for value in NO_NUMBERS if is_sqlite(db.url) else EXTREMES:
        if not takes(db, f"UPDATE {table} SET {column} = {value.format(column=column)}"):
            continue
        report = audited(db)
        if is_sqlite(db.url):
            assert any(report.counted.values()), value


WRITTEN = ("", "{", "null", "[]", "{}", '{"to": "9"}', '{"to": 12345678901234567890123}', '{"to": 1.5}', "[" * 150_000)


@pytest.mark.parametrize("column", ["inputs", "outcome"])
def test_a_decision_that_cannot_be_read_is_named(db: Database, column: str) -> None:
    a_kept_book(db)

    for written in WRITTEN:
        with db.writer.begin() as connection:
            connection.execute(
                text(f"UPDATE decision SET {column} = :written WHERE kind = 'publication'"), {"written": written}
            )
        report = audited(db)
        assert {rule for rule, n in report.counted.items() if n} == {"decision.above"}
        assert {each.likely_cause for each in report.violations} == {
            "the decision was edited by hand: nobody can say how the number that is shown came about"
        }


def test_a_decision_of_bytes_that_are_no_text_is_named(db: Database) -> None:
    if not is_sqlite(db.url):
        pytest.skip("PostgreSQL takes no text that is none")
    a_kept_book(db)
    corrupt(db, "UPDATE decision SET outcome = CAST(x'80ff' AS TEXT) WHERE kind = 'publication'")

    assert audited(db).counted["decision.above"] > 0


def test_a_kit_of_no_units_is_named_and_divides_nothing(db: Database) -> None:
    a_kept_book(db)
    corrupt(db, *([] if is_sqlite(db.url) else without_checks("listing_component")))
    corrupt(db, "UPDATE listing_component SET units = 0")

    assert audited(db).counted["listing.component"] > 0
