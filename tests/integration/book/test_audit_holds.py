"""What the audit found holds back raises, and raises alone, until it is gone or a person releases it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from syncd.db.database import Database
from syncd.db.tables import audit_finding, decision
from syncd.insight.explain_listing import explain_listing
from syncd.publishing.marks import mark_dirty
from syncd.reconcile.audit import CHECKS
from syncd.reconcile.findings import ALERT
from syncd.reconcile.held_skus import HELD, findings_of, release_skus
from syncd.reconcile.progress import load_pass
from tests.integration.book.kept_book import LATER, Time, a_kept_book, an_auditor, publish
from tests.support.builders import Seller, an_order

SOON = timedelta(minutes=10)
LOST = "UPDATE level SET on_hand = on_hand + 7 WHERE sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"
BACK = LOST.replace("+ 7", "- 7")


async def a_wrong_book(db: Database, time: Time) -> Seller:
    """Somebody has put seven clocks into the level, and the audit has found it."""
    seller = a_kept_book(db)
    certify(seller)
    seller.does(LOST)
    assert await an_auditor(db, time).round() == {"level.fold": 1}
    seller.db.transact_now(mark_dirty, {seller.skus["RED-CLOCK"]: None}, LATER)
    return seller


def certify(seller: Seller) -> None:
    seller.does("UPDATE cell SET certified = 1")


def waits(seller: Seller) -> dict[str, str | None]:
    found = seller.rows("SELECT g.code, d.waits_for FROM dirty_listing d JOIN listing g ON g.id = d.listing_id")
    return {row["code"]: row["waits_for"] for row in found}


def shown(seller: Seller, code: str = "RED-CLOCK") -> int:
    (row,) = seller.rows(
        "SELECT c.published FROM cell c JOIN listing g ON g.id = c.listing_id WHERE g.code = :code", code=code
    )
    return int(row["published"])


async def test_raises_of_a_sku_that_does_not_add_up_wait_and_its_kits_too(db: Database) -> None:
    seller = await a_wrong_book(db, Time())
    before = shown(seller)

    publish(seller, LATER, "held")

    assert waits(seller) == {"RED-CLOCK": HELD}, "the kit is bound by its stands, and shows what it should"
    assert shown(seller) == before
    assert ALERT in seller.open_alerts()


async def test_lowering_goes_on_meanwhile(db: Database) -> None:
    seller = await a_wrong_book(db, Time())

    seller.takes_in(an_order(order_id="kits", sku="KIT", quantity=9, minute=20, placed_minute=20), now=LATER)
    publish(seller, LATER + SOON, "lower")

    assert shown(seller) == 15, "20 and the false 7, less 2, 1 and 9: below the 17 that it showed"


async def test_other_skus_are_raised_as_ever(db: Database) -> None:
    seller = await a_wrong_book(db, Time())

    seller.counts("LAMP", 30, at=LATER)
    seller.db.transact_now(mark_dirty, {seller.skus["LAMP"]: None}, LATER)
    publish(seller, LATER, "lamps")

    assert shown(seller, "LAMP") > 10
    assert "LAMP" not in waits(seller)


async def test_the_raise_goes_out_when_the_book_is_right_again(db: Database) -> None:
    time = Time()
    seller = await a_wrong_book(db, time)
    publish(seller, LATER, "held")
    seller.does(BACK)
    seller.counts("RED-CLOCK", 30, at=LATER)
    await time.sleep(600)

    counted = await an_auditor(db, time).round()
    publish(seller, time.at, "raised")

    assert counted == {}
    assert db.read_now(findings_of) == []
    assert ALERT not in seller.open_alerts()
    assert shown(seller) == 27


async def test_a_person_may_release_a_sku_and_is_named(db: Database) -> None:
    time = Time()
    seller = await a_wrong_book(db, time)
    publish(seller, LATER, "held")

    released = db.transact_now(release_skus, [seller.skus["RED-CLOCK"]], "cli:ada", time.at)
    publish(seller, time.at + SOON, "raised")
    await time.sleep(600)
    counted = await an_auditor(db, time).round()

    assert released == {seller.skus["RED-CLOCK"]: ["level.fold"]}
    assert shown(seller) == 24
    (finding,) = db.read_now(findings_of)
    assert (finding.released_by, finding.released_at) == ("cli:ada", LATER)
    (noted,) = seller.rows("SELECT inputs, decided_at FROM decision WHERE kind = 'audit_release'")
    assert '"actor":"cli:ada"' in noted["inputs"]
    assert counted == {}, "what a person has released is known: nobody is told again"
    assert ALERT not in seller.open_alerts()


async def test_nothing_is_released_that_is_not_held(db: Database) -> None:
    seller = a_kept_book(db)

    assert db.transact_now(release_skus, [seller.skus["RED-CLOCK"]], "cli:ada", LATER) == {}
    with db.writer.connect() as connection:
        kinds = connection.execute(select(func.count()).where(decision.c.kind == "audit_release")).scalar_one()
    assert kinds == 0


async def test_a_daemon_that_starts_again_keeps_the_hold(db: Database) -> None:
    time = Time()
    seller = await a_wrong_book(db, time)
    await time.sleep(600)

    assert await an_auditor(db, time).round() == {"level.fold": 1}
    publish(seller, time.at, "held")

    assert waits(seller) == {"RED-CLOCK": HELD}
    (row,) = seller.rows("SELECT times FROM alert WHERE kind = 'audit_violation'")
    assert row["times"] == 2


async def test_a_listing_that_is_held_says_what_was_found(db: Database) -> None:
    seller = await a_wrong_book(db, Time())
    publish(seller, LATER, "held")

    told = db.read_now(explain_listing, seller.listings["RED-CLOCK"])

    assert told.listing.waits_for == HELD
    (why,) = told.held_by_audit
    assert why.startswith("RED-CLOCK, level.fold: the level was edited by hand")


async def test_what_concerns_no_sku_holds_none_and_is_told(db: Database) -> None:
    seller = a_kept_book(db)
    seller.does("INSERT INTO push_batch (key, account_id, created_at, sent_at, settle_by) VALUES ('empty', 1, 0, 0, 0)")

    assert await an_auditor(db, Time()).round() == {"push.empty": 1}
    assert seller.rows("SELECT sku_id FROM audit_finding") == [{"sku_id": 0}]


async def test_a_whole_pass_goes_on_after_a_restart_and_ends_once_a_day(db: Database) -> None:
    time = Time()
    seller = a_kept_book(db)
    places: list[str] = []
    for _ in range(200):
        await an_auditor(db, time, pages=3).round()
        done = db.read_now(load_pass, "whole")
        assert done is not None
        if done.ended_at is not None:
            break
        places.append(done.position["rule"])
        await time.sleep(600)

    order = [check.rule for check in CHECKS]
    assert [order.index(rule) for rule in places] == sorted(order.index(rule) for rule in places)
    assert len(set(places)) > len(CHECKS) // 3, "three pages a round, and never the same again"
    seller.does(LOST)
    await time.sleep(600)
    assert await an_auditor(db, time).round() == {}, "nothing moved there, and the whole pass is over"
    await time.sleep(24 * 3600)
    assert await an_auditor(db, time).round() == {"level.fold": 1}
    assert seller.rows("SELECT count(*) AS n FROM audit_progress") == [{"n": 2}]


async def test_a_book_that_is_right_keeps_no_rows_for_it(db: Database) -> None:
    a_kept_book(db)

    assert await an_auditor(db, Time()).round() == {}
    with db.writer.connect() as connection:
        assert connection.execute(select(func.count()).select_from(audit_finding)).scalar_one() == 0
