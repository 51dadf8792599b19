"""Findings that are kept: cleared when they are gone, however many, exact by subject, released as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Update
from structlog.testing import capture_logs

from syncd.db.database import Database
from syncd.db.lease import Lease
from syncd.db.statements import Given, Statement
from syncd.reconcile import auditor, concerned
from syncd.reconcile import held_skus as held_skus_module
from syncd.reconcile.audit import BY_RULE
from syncd.reconcile.concerned import read_concerned
from syncd.reconcile.findings import AT_ONCE, in_parts, named_before, note_found
from syncd.reconcile.held_skus import findings_of, held_skus, release_skus
from syncd.reconcile.keeping import keep_part
from syncd.reconcile.looking import Found, Named, look_at
from syncd.reconcile.pages import read_page
from syncd.reconcile.violation import Violation
from tests.integration.book.kept_book import LATER, Time, a_kept_book, an_auditor, corrupt
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import NOW, Seller, an_order

MANY = 2 * AT_ONCE + 100
CLOCKS = "WHERE sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database of its own for each test: corrupting one takes its triggers and checks away."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    return a_kept_book(db)


def a_finding(rule: str, subject: list[object], sku_id: int, found: int = 1) -> Found:
    violation = Violation(rule, {"sku_id": sku_id}, found, 0, "by hand")
    return Found((rule, json.dumps(subject, separators=(",", ":"))), violation, (sku_id,))


def found_once(connection: Connection, number: int) -> None:
    """So many findings of levels, long ago, of SKUs that have none such any more."""
    note_found(connection, [a_finding("level.short", [1_000 + n, 1], 1_000 + n) for n in range(number)], NOW)


@ON_POSTGRESQL
def test_a_release_just_after_a_mass_finding_reads_the_released_skus_alone(seller: Seller, db: Database) -> None:
    """PostgreSQL has no statistics of the mass yet, and once read it whole for each SKU."""

    def plan(connection: Connection) -> str:
        connection.exec_driver_sql(
            "INSERT INTO audit_finding (sku_id, rule, subject, told, found_at, seen_at, off_by)"
            " SELECT n, 'level.fold', '[' || n || ',1]', '{}', 0, 0, '{}' FROM generate_series(1, 20000) n"
        )
        release = held_skus_module._release._build(Given("postgresql"))
        assert isinstance(release, Update)
        asked = str(release.compile(dialect=connection.dialect))
        values = {"given_wanted": "[[7],[8]]", "given_rule": None, "given_actor": "cli:ada", "given_now": 0}
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {asked}", values).scalars())

    planned = db.transact_now(plan)

    assert "Seq Scan on audit_finding" not in planned, planned
    assert "Index Cond: (sku_id = ANY" in planned, planned


async def test_a_mass_of_findings_that_is_gone_is_cleared_in_one_round(seller: Seller, db: Database) -> None:
    db.transact_now(found_once, MANY)

    assert await an_auditor(db, Time()).round() == {}
    assert seller.rows("SELECT count(*) AS n FROM audit_finding") == [{"n": 0}]
    assert "audit_violation" not in seller.open_alerts()


async def test_what_is_found_again_after_it_was_looked_at_stays_held(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    again, gone = a_finding("level.short", [1_000, 1], 1_000), a_finding("level.short", [1_001, 1], 1_001)
    db.transact_now(note_found, [again, gone], NOW)

    def found_meanwhile(connection: Connection, lease: Lease, found: Any, gone: list[Named], *rest: Any) -> None:
        if again.named in gone:
            note_found(connection, [again], LATER)
        keep_part(connection, lease, found, gone, *rest)

    monkeypatch.setattr(auditor, "keep_part", found_meanwhile)
    await an_auditor(db, time).round()

    assert db.read_now(held_skus, [1_000, 1_001]) == {1_000}


async def test_what_is_released_is_logged_no_more_as_a_violation(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, f"UPDATE level SET on_hand = on_hand + 7 {CLOCKS}")
    one = an_auditor(db, time)
    with capture_logs() as first:
        assert await one.round() == {"level.fold": 1}
    db.transact_now(release_skus, [seller.skus["RED-CLOCK"]], "somebody", time.now())
    await time.sleep(24 * 3600)

    with capture_logs() as logs:
        assert await one.round() == {}

    assert [each["counted"] for each in first if each["event"] == "audit.violated"] == [{"level.fold": 1}]
    assert [each for each in logs if each["event"] == "audit.violated"] == []


async def test_what_does_not_fit_a_round_is_looked_at_in_the_next(seller: Seller, db: Database) -> None:
    time = Time()
    db.transact_now(found_once, MANY)
    one = an_auditor(db, time, again=1)
    left = []
    for _ in range(3):
        await one.round()
        left.append(seller.rows("SELECT count(*) AS n FROM audit_finding")[0]["n"])
        await time.sleep(600)

    assert left == [MANY - AT_ONCE, MANY - 2 * AT_ONCE, 0]


async def test_findings_that_stay_keep_no_others_from_being_looked_at(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    corrupt(db, "UPDATE level SET short = short + 1")
    one = an_auditor(db, time, again=1)
    assert await one.round() == {"level.short": 4}
    monkeypatch.setattr(auditor, "named_before", partial(named_before, limit=2))
    looked_at = []
    for _ in range(2):
        await time.sleep(600)
        await one.round()
        looked_at.append({each.sku_id for each in db.read_now(findings_of) if each.seen_at == time.at})

    assert [len(each) for each in looked_at] == [2, 2]
    assert looked_at[0] | looked_at[1] == set(seller.skus.values())


async def test_a_sku_that_a_subject_does_not_concern_any_more_is_let_go(seller: Seller, db: Database) -> None:
    time = Time()
    seller.takes_in(an_order(order_id="AB-1", minute=3), an_order(order_id="ab-1", minute=3))
    assert await an_auditor(db, time).round() == {"order.case": 1}
    lamp, clock = seller.skus["LAMP"], seller.skus["RED-CLOCK"]
    seller.does(
        "INSERT INTO audit_finding (sku_id, rule, subject, told, found_at, seen_at)"
        f" SELECT {lamp}, rule, subject, told, found_at, seen_at FROM audit_finding",
        "DELETE FROM dirty_listing",
    )
    await time.sleep(600)

    assert await an_auditor(db, time).round() == {"order.case": 1}
    assert [each.sku_id for each in db.read_now(findings_of)] == [clock]
    marked = seller.rows("SELECT g.code FROM dirty_listing d JOIN listing g ON g.id = d.listing_id")
    assert [row["code"] for row in marked] == ["LAMP"], "it may be raised again"


async def test_both_skus_of_a_kit_line_stay_held_by_its_one_subject(seller: Seller, db: Database) -> None:
    time = Time()
    kit = "(SELECT l.id FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE o.channel_order_id = 'kit')"
    corrupt(db, f"UPDATE order_line SET quantity = quantity + 1 WHERE id = {kit}")
    await an_auditor(db, time).round()
    await time.sleep(600)
    await an_auditor(db, time).round()

    of_line = {each.sku_id for each in db.read_now(findings_of) if each.rule == "line.cover"}
    assert of_line == {seller.skus["RED-CLOCK"], seller.skus["STAND"]}


async def test_an_order_with_several_twins_is_one_finding(seller: Seller, db: Database) -> None:
    seller.takes_in(*(an_order(order_id=name, minute=3) for name in ("aB-1", "AB-1", "ab-1")))

    counted = await an_auditor(db, Time()).round()

    assert counted.keys() == {"order.case"}


async def released_book(db: Database, seller: Seller, time: Time, pieces: int) -> None:
    """So many clocks too many in the level, found, and released by a person."""
    corrupt(db, f"UPDATE level SET on_hand = on_hand + {pieces} {CLOCKS}")
    await an_auditor(db, time).round()
    db.transact_now(release_skus, [seller.skus["RED-CLOCK"]], "cli:ada", time.at)
    await time.sleep(600)


@pytest.mark.parametrize(("more", "held"), [(5, True), (0, False), (-3, False), (-20, True)])
async def test_a_release_covers_a_finding_as_it_was(seller: Seller, db: Database, more: int, held: bool) -> None:
    time = Time()
    await released_book(db, seller, time, 7)
    corrupt(db, f"UPDATE level SET on_hand = on_hand + {more} {CLOCKS}")

    counted = await an_auditor(db, time).round()

    clock = seller.skus["RED-CLOCK"]
    assert ("level.fold" in counted) == held
    assert (clock in db.read_now(held_skus, [clock])) == held
    (finding,) = [each for each in db.read_now(findings_of) if each.rule == "level.fold"]
    assert (finding.released_by is None) == held


async def test_what_trade_moves_under_a_released_finding_does_not_hold_it_again(seller: Seller, db: Database) -> None:
    time = Time()
    await released_book(db, seller, time, 7)
    seller.takes_in(an_order(order_id="next", quantity=3, minute=4, placed_minute=4))

    assert await an_auditor(db, time).round() == {}


async def test_one_rule_is_released_and_the_others_hold_on(seller: Seller, db: Database) -> None:
    time = Time()
    corrupt(db, f"UPDATE level SET on_hand = on_hand + 7, short = short + 1 {CLOCKS}")
    assert (await an_auditor(db, time).round()).keys() == {"level.fold", "level.short"}
    clock = seller.skus["RED-CLOCK"]

    released = db.transact_now(release_skus, [clock], "cli:ada", time.at, "level.short")

    assert released == {clock: ["level.short"]}
    assert db.read_now(held_skus, [clock]) == {clock}


def test_a_cause_that_was_looked_into_is_not_lost_to_a_shorter_look(seller: Seller, db: Database) -> None:
    corrupt(db, f"UPDATE level SET reserved = reserved - 2 {CLOCKS}")

    def look(connection: Connection, looked_into: int) -> tuple[Found, ...]:
        check = BY_RULE["level.fold"]
        return look_at(connection, check, read_page(connection, check, None).broken, looked_into)

    causes = []
    for looked_into in (20, 0):
        db.transact_now(note_found, db.read_now(look, looked_into), LATER)
        causes.append(db.read_now(findings_of)[0].likely_cause)
    corrupt(db, f"UPDATE level SET reserved = reserved - 1 {CLOCKS}")
    db.transact_now(note_found, db.read_now(look, 0), LATER)

    assert "movement" in causes[0]
    assert causes[0] == causes[1]
    assert db.read_now(findings_of)[0].likely_cause != causes[0], "it is another one now"


def test_the_skus_of_a_page_are_read_at_once(seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counting(name: str, of: Statement) -> object:
        def ask(connection: Connection, **given: object) -> object:
            asked.append(name)
            return of(connection, **given)

        return ask

    spied = {name: counting(name, of) for name, of in concerned._SKUS_OF.items()}
    monkeypatch.setattr(concerned, "_SKUS_OF", spied)
    lines = {
        row["id"]: row["channel_order_id"]
        for row in seller.rows(
            "SELECT l.id, o.channel_order_id FROM order_line l JOIN sales_order o ON o.id = l.order_id"
        )
    }
    kit = next(line for line, name in lines.items() if name == "kit")
    order = seller.order("kit")["id"]
    rows = [
        *({"order_line_id": line} for line in lines),
        {"order_line_id": kit, "sku_id": 77},
        {"order_line_id": kit, "order_id": 0},
        {"order_id": order},
        {"listing_id": seller.listings["KIT"], "sku_id": None},
        {"listing_id": 987},
        {"key": "empty"},
    ]

    found = db.read_now(read_concerned, rows)

    both = tuple(sorted((seller.skus["RED-CLOCK"], seller.skus["STAND"])))
    assert found[-6:] == [(77,), both, both, both, (0,), (0,)]
    assert len(found) == len(rows)
    assert sorted(asked) == ["listing_id", "order_id", "order_line_id"]


def test_parts_are_bounded_and_keep_a_subject_together() -> None:
    several = [a_finding("line.cover", [n // 3], n) for n in range(20)]

    parts = list(in_parts(several, 4))

    assert sorted(found.sku_ids for part in parts for found in part) == [(n,) for n in range(20)]
    assert max(map(len, parts)) <= 6
    homes = [(found.named, at) for at, part in enumerate(parts) for found in part]
    assert len({named for named, _ in homes}) == len(set(homes))


async def test_a_page_of_many_findings_is_kept_in_several_transactions(
    seller: Seller, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.reconcile.auditor.in_parts", lambda found: in_parts(found, 1))
    corrupt(db, "UPDATE level SET short = short + 1")

    assert await an_auditor(db, Time()).round() == {"level.short": 4}
