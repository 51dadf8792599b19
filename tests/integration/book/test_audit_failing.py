"""A rule of the audit that cannot run stops no other: it is told, tried again, and closed when it is well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from syncd.db.database import Database
from syncd.reconcile import auditor
from syncd.reconcile.audit import CHECKS, audit
from syncd.reconcile.checks import Check
from syncd.reconcile.failing import KIND, load_failing
from syncd.reconcile.findings import ALERT
from syncd.reconcile.held_skus import findings_of
from syncd.reconcile.pages import Key, Page, read_page
from tests.integration.book.kept_book import Time, a_kept_book, an_auditor, corrupt
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import Seller, an_order

TEN_MINUTES = 600.0
LOSE = "ALTER TABLE archived_level RENAME COLUMN seq TO lost"
FIND = "ALTER TABLE archived_level RENAME COLUMN lost TO seq"
SHORT = "UPDATE level SET short = short + 1 WHERE sku_id = (SELECT id FROM sku WHERE code = 'LAMP')"
MORE = "UPDATE level SET on_hand = on_hand + 7 WHERE sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database of its own for each test: its tables are taken away."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    return a_kept_book(db)


def alerts(seller: Seller) -> dict[str, str]:
    """The messages of open alerts, by key."""
    found = seller.rows("SELECT key, message FROM alert WHERE closed_at IS NULL")
    return {row["key"]: row["message"] for row in found if row["key"].startswith((KIND, ALERT))}


async def test_the_other_rules_go_on_and_what_is_gone_is_cleared(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, SHORT)
    assert await an_auditor(db, time).round() == {"level.short": 1}
    corrupt(db, SHORT.replace("+ 1", "- 1"), LOSE, "UPDATE shortage SET closed_at = 1")
    await time.sleep(24 * 3600)

    counted = await an_auditor(db, time).round()

    assert counted == {"line.cover": 1}, "a later rule was reached, and an older finding was cleared"
    assert alerts(seller).keys() == {ALERT, f"{KIND}:level.fold"}


async def test_people_are_told_which_rule_why_and_what_to_do(seller: Seller, db: Database) -> None:
    corrupt(db, LOSE)

    assert await an_auditor(db, Time()).round() == {}

    (message,) = alerts(seller).values()
    assert message.startswith("the audit's rule level.fold cannot run: ")
    assert "b.seq" in message
    assert "report it" in message


async def test_a_rule_that_runs_again_reads_the_book_to_its_end_and_closes_its_alert(
    seller: Seller, db: Database
) -> None:
    time = Time()
    corrupt(db, LOSE, MORE)
    assert "level.fold" not in await an_auditor(db, time).round()
    corrupt(db, FIND)
    await time.sleep(TEN_MINUTES)

    counted = await an_auditor(db, time).round()

    assert counted["level.fold"] == 1
    assert alerts(seller).keys() == {ALERT}
    assert db.read_now(load_failing) == {}
    assert seller.rows("SELECT name FROM audit_progress ORDER BY name") == [{"name": "recent"}, {"name": "whole"}]


async def test_it_is_tried_again_ever_more_slowly_and_its_alert_stays(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, LOSE)
    tried = []
    for _ in range(7):
        await an_auditor(db, time).round()
        tried.append(db.read_now(load_failing)["level.fold"].times)
        assert f"{KIND}:level.fold" in alerts(seller)
        await time.sleep(TEN_MINUTES)

    assert tried == [1, 2, 3, 3, 4, 4, 4]


async def test_what_is_new_is_looked_at_by_the_rules_that_can(seller: Seller, db: Database) -> None:
    time = Time()
    one = an_auditor(db, time)
    await one.round()
    corrupt(db, LOSE)
    seller.takes_in(an_order(order_id="new", minute=9), an_order(order_id="lamp", sku="LAMP", minute=9))
    corrupt(db, SHORT)
    await time.sleep(TEN_MINUTES)

    counted = await one.round()
    for _ in range(400):  # where others write in PostgreSQL's cluster, what is final comes a little later
        if counted:
            break
        await asyncio.sleep(0.05)
        counted = await one.round()

    assert counted == {"level.short": 1}
    assert db.read_now(load_failing)["level.fold"].after is None, "it owes the whole book: nobody knows what it missed"


async def test_what_a_rule_found_before_stays_held_while_it_cannot_look(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, MORE)
    await an_auditor(db, time).round()
    corrupt(db, MORE.replace("+ 7", "- 7"), LOSE)
    await time.sleep(TEN_MINUTES)

    assert "level.fold" in await an_auditor(db, time).round()
    assert [each.rule for each in db.read_now(findings_of) if each.rule == "level.fold"] == ["level.fold"]


async def test_a_rule_goes_on_at_the_page_that_it_could_not_read(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tuple(replace(check, page=1) for check in CHECKS)
    monkeypatch.setattr(auditor, "CHECKS", small)
    monkeypatch.setattr(auditor, "BY_RULE", {check.rule: check for check in small})
    asked: list[Key | None] = []
    bad = (seller.skus["RED-CLOCK"], 0)

    def poisoned(connection: Connection, check: Check, after: Key | None) -> Page:
        page = read_page(connection, check, after)
        if check.rule == "level.short":
            asked.append(after)
            if page.last is not None and page.last > bad and not well:
                raise ValueError("a value")
        return page

    well: list[bool] = []
    monkeypatch.setattr(auditor, "read_page", poisoned)
    time = Time()
    await an_auditor(db, time, pages=500).round()
    stopped = db.read_now(load_failing)["level.short"]
    well.append(True)
    asked.clear()
    await time.sleep(TEN_MINUTES)
    await an_auditor(db, time, pages=500).round()

    assert stopped.after is not None
    assert asked[0] == stopped.after
    assert "ValueError" in stopped.told
    assert "a value" not in stopped.told
    assert db.read_now(load_failing) == {}


async def test_a_database_that_is_gone_is_no_rules_failure(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> Page:
        raise OperationalError("SELECT 1", {}, ConnectionError("refused"), connection_invalidated=True)

    monkeypatch.setattr(auditor, "read_page", gone)

    with pytest.raises(OperationalError):
        await an_auditor(db, Time()).round()
    assert alerts(seller) == {}


async def test_what_one_part_of_a_round_meets_keeps_no_other_from_its_turn(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    corrupt(db, SHORT)
    await an_auditor(db, time).round()
    corrupt(db, SHORT.replace("+ 1", "- 1"))
    await time.sleep(TEN_MINUTES)

    def unreadable(*_: Any) -> None:
        raise ValueError("no such position")

    monkeypatch.setattr(auditor, "_place", unreadable)
    await time.sleep(24 * 3600)
    with pytest.raises(ValueError, match="no such position"):
        await an_auditor(db, time).round()

    assert db.read_now(findings_of) == []
    assert alerts(seller) == {}


async def test_a_feed_of_changes_that_cannot_be_read_is_told_and_closes(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    await an_auditor(db, time).round()

    def unreadable(*_: Any, **__: Any) -> None:
        raise ValueError

    with monkeypatch.context() as broken:
        broken.setattr(auditor, "read_changes", unreadable)
        await an_auditor(db, time).round()
    told = alerts(seller)
    await an_auditor(db, time).round()

    assert told.keys() == {f"{KIND}:recent"}
    assert alerts(seller) == {}


async def test_the_look_at_what_is_new_is_told_in_its_own_words(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    await an_auditor(db, time).round()

    def unreadable(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr(auditor, "read_changes", unreadable)
    await an_auditor(db, time).round()

    (message,) = alerts(seller).values()
    assert message.startswith("the audit's look at what has just changed cannot run: ValueError")
    assert "rule recent" not in message


async def test_a_cause_that_a_hand_wrote_hinders_no_rule(seller: Seller, db: Database) -> None:
    time = Time()
    await an_auditor(db, time).round()
    corrupt(
        db,
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key, actor,"
        " at) SELECT sku_id, warehouse_id, seq + 1, 'receipt', 1, 0, 0, 'line/99999999999999999999/1', 'hand', 0"
        " FROM level WHERE sku_id = (SELECT id FROM sku WHERE code = 'LAMP')",
    )
    await time.sleep(TEN_MINUTES)

    for _ in range(20):  # of PostgreSQL's clusters others may be writing in theirs: what is final comes a little later
        counted = await an_auditor(db, time).round()
        assert db.read_now(load_failing) == {}
        if counted:
            break

    assert "level.seq" in counted


async def test_an_alert_closes_within_the_hour_after_its_rule_can_run(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, LOSE)
    for _ in range(30):
        await an_auditor(db, time).round()
        await time.sleep(TEN_MINUTES)
    assert alerts(seller).keys() == {f"{KIND}:level.fold"}
    corrupt(db, FIND)

    for _ in range(6):
        await an_auditor(db, time).round()
        await time.sleep(TEN_MINUTES)

    assert alerts(seller) == {}


@ON_POSTGRESQL
async def test_a_transaction_that_somebody_left_open_is_told_after_an_hour(seller: Seller, db: Database) -> None:
    time = Time()
    await an_auditor(db, time).round()
    with db.writer.connect() as forgotten:
        forgotten.execute(text("SELECT pg_current_xact_id()"))
        for _ in range(6):
            await time.sleep(TEN_MINUTES)
            await an_auditor(db, time).round()
            assert alerts(seller) == {}
        for _ in range(20):
            await time.sleep(TEN_MINUTES)
            await an_auditor(db, time).round()
            if alerts(seller):
                break
        (message,) = alerts(seller).values()
        forgotten.rollback()
    assert "a transaction that writes has been open" in message
    assert "pg_stat_activity" in message
    for _ in range(50):  # others may be writing in the cluster
        if not alerts(seller):
            break
        await an_auditor(db, time).round()

    assert alerts(seller) == {}
    assert db.read_now(load_failing) == {}


async def test_a_book_that_was_not_audited_for_long_waits_for_nobody(seller: Seller, db: Database) -> None:
    time = Time()
    await an_auditor(db, time).round()
    await an_auditor(db, time).round()
    await time.sleep(24 * 3600)

    await an_auditor(db, time).round()

    assert alerts(seller) == {}


async def test_a_rule_of_another_version_is_forgotten(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, LOSE)
    await an_auditor(db, time).round()
    seller.does(
        "UPDATE audit_progress SET position = replace(position, 'level.fold', 'of.yesterday') WHERE name = 'failing'",
        "UPDATE alert SET key = 'audit_failing:of.yesterday' WHERE key = 'audit_failing:level.fold'",
    )
    corrupt(db, FIND)

    await an_auditor(db, time).round()

    assert alerts(seller) == {}
    assert db.read_now(load_failing) == {}


def test_movements_that_cannot_be_read_hide_no_violation(seller: Seller, db: Database) -> None:
    corrupt(db, MORE, "UPDATE movement SET at = 999999999999999999")

    (violation,) = audit(db).violations

    assert violation.rule == "level.fold"
    assert violation.likely_cause.endswith("(its movements cannot be looked into: OverflowError)")
    assert violation.movements == ()
