"""`syncd audit`: the verdict and its exit code, a run that goes on, what is held, and who released it."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from syncd.cli import audit as command
from syncd.cli.app import app
from syncd.cli.held import PAGE
from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.reconcile import asked
from syncd.reconcile.audit import CHECKS, MOST_VIOLATIONS, Standing, audit
from syncd.reconcile.held_skus import held_skus
from syncd.reconcile.progress import Pass, load_pass, save_further, save_pass
from tests.integration.book.kept_book import Time, a_kept_book, an_auditor, corrupt
from tests.support.builders import NOW, Seller, a_seller

WRONG = "UPDATE level SET on_hand = on_hand + 7 WHERE sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    return a_kept_book(db)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Path:
    path = tmp_path / "syncd.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n')
    return path


def asks(*arguments: str, config: Path) -> tuple[int, str]:
    """(exit code, what it printed)."""
    done = CliRunner().invoke(app, ["audit", *arguments, "-c", str(config)], env={"COLUMNS": "200"})
    return done.exit_code, done.output or str(done.exception)


def unwrapped(told: str) -> str:
    """Without the line breaks of whatever width a terminal has."""
    return " ".join(told.split())


def test_a_right_book_is_proved_and_leaves_no_trace(seller: Seller, config: Path) -> None:
    code, told = asks(config=config)

    assert code == 0
    assert "the book is proved" in told
    assert seller.rows("SELECT * FROM audit_progress") == []


def test_what_is_wrong_is_told_holds_its_sku_and_opens_the_alert(seller: Seller, config: Path) -> None:
    seller.does(WRONG)

    code, told = asks("--json", config=config)
    _, held = asks("held", "--json", config=config)
    _, for_people = asks("held", config=config)

    assert code == 1
    assert json.loads(told)["counted"]["level.fold"] == 1
    (finding,) = json.loads(held)
    assert (finding["sku"], finding["rule"], finding["released_by"]) == ("RED-CLOCK", "level.fold", None)
    assert "likely cause: the level was edited by hand" in for_people
    assert seller.open_alerts().count("audit_violation") == 1


def test_a_sku_is_released_once_by_name(seller: Seller, config: Path) -> None:
    seller.does(WRONG)
    asks(config=config)

    first, said = asks("release", "red-clock", config=config)
    again, nothing = asks("release", "RED-CLOCK", config=config)
    unknown, suggested = asks("release", "RED-CLOK", "LAMPE", config=config)

    assert (first, again, unknown) == (0, 1, 1)
    assert "it was held by level.fold" in said
    assert "does not hold RED-CLOCK" in nothing
    assert "'RED-CLOK'. Did you mean RED-CLOCK?" in suggested
    assert "'LAMPE'. Did you mean LAMP?" in suggested
    (finding,) = json.loads(asks("held", "--json", config=config)[1])
    assert finding["released_by"] == f"cli:{getpass.getuser()}"


def test_a_run_that_was_stopped_goes_on_where_it_was(
    seller: Seller, db: Database, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_KEPT_EVERY", 1)
    whole = audit(db)
    seen: list[Standing] = []
    audit(db, keep=seen.append)
    middle = seen[len(seen) // 2]
    db.transact_now(save_pass, Pass("asked", middle.to_json(), NOW, NOW))

    code, told = asks("--resume", "--json", config=config)

    assert code == 0
    assert json.loads(told)["checked"] == whole.checked
    assert db.read_now(load_pass, "asked") is None, "it ended: there is nothing to go on with"


def test_what_was_found_before_it_was_stopped_is_told_at_its_end(seller: Seller, db: Database, config: Path) -> None:
    seller.does(WRONG)
    seen: list[Standing] = []
    audit(db, keep=seen.append)
    db.transact_now(save_pass, Pass("asked", seen[-1].to_json(), NOW, NOW))

    code, told = asks("--resume", "--json", config=config)

    assert code == 1
    assert [each["rule"] for each in json.loads(told)["violations"]] == ["level.fold"]
    assert json.loads(told)["checked"].keys() == {check.rule for check in CHECKS}


def test_a_run_of_other_rules_begins_anew(db: Database, seller: Seller, config: Path) -> None:
    gone = {**Standing().to_json(), "rule": "rule.of.yesterday", "counted": {"rule.of.yesterday": 3}}
    db.transact_now(save_pass, Pass("asked", gone, NOW, NOW))

    code, told = asks("--resume", config=config)

    assert code == 0
    assert "begins at the beginning" in told


def test_what_is_gone_is_let_go_at_once(seller: Seller, config: Path) -> None:
    seller.does(WRONG)
    asks(config=config)
    seller.does(WRONG.replace("+ 7", "- 7"))

    code, told = asks(config=config)

    assert code == 0
    assert "gone since it was found: 1;" in told
    assert "audit_violation" not in seller.open_alerts()
    assert "holds nothing back" in asks("held", config=config)[1]


def test_what_a_rule_that_cannot_run_found_before_stays_held(seller: Seller, config: Path) -> None:
    seller.does(WRONG)
    asks(config=config)
    seller.does(WRONG.replace("+ 7", "- 7"), "ALTER TABLE archived_level RENAME TO lost")

    asks(config=config)

    assert "level.fold: 1 held" in asks("held", config=config)[1]


def test_a_rule_that_cannot_be_asked_again_is_named_and_keeps_what_it_found(seller: Seller, config: Path) -> None:
    seller.does("UPDATE shortage SET closed_at = 1")
    asks(config=config)
    seller.does("UPDATE shortage SET closed_at = NULL", "ALTER TABLE shipment_request RENAME TO lost_request", WRONG)

    code, told = asks(config=config)

    assert code == 1
    assert "line.cover could not run: " in told
    assert "level.fold sku RED-CLOCK" in told
    assert "line.cover: 1 held" in asks("held", config=config)[1]


def test_a_report_is_told_whatever_becomes_of_the_rest_and_the_run_can_go_on(
    seller: Seller, db: Database, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise OperationalError("COMMIT", {}, ConnectionError("lost"), connection_invalidated=True)

    monkeypatch.setattr(command, "_KEPT_EVERY", 1)
    monkeypatch.setattr(asked, "hold_told", lost)
    seller.does(WRONG)

    done = CliRunner().invoke(app, ["audit", "--json", "-c", str(config)])

    assert isinstance(done.exception, OperationalError)
    assert json.loads(done.stdout)["counted"]["level.fold"] == 1
    assert db.read_now(load_pass, "asked") is not None


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("level", "sku_id = 'red' WHERE sku_id = (SELECT id FROM sku WHERE code = 'LAMP')"),
        ("listing_component", "sku_id = 'red' WHERE sku_id = (SELECT id FROM sku WHERE code = 'LAMP')"),
        (
            "cell",
            "listing_id = 'red', published = 'x' WHERE listing_id = (SELECT min(listing_id) FROM cell)",
        ),
        ("order_line", "order_id = 1.5 WHERE id = 1"),
        ("reservation", "order_line_id = 'red' WHERE rowid = 1"),
    ],
)
def test_what_stands_in_a_column_of_ids_and_is_none_is_told_by_everyone(
    seller: Seller, db: Database, config: Path, table: str, change: str
) -> None:
    if not is_sqlite(db.url):
        pytest.skip("PostgreSQL keeps no text in a column of numbers")
    corrupt(db, f"UPDATE {table} SET {change}")

    code, told = asks(config=config)
    _, held = asks("held", config=config)
    asyncio.run(an_auditor(db, Time()).round())

    assert code == 1
    assert "the book is NOT" in told
    assert "likely cause: " in held


OF_MANY = {f"SKU-{n}": 5 for n in range(MOST_VIOLATIONS + 10)}


async def test_what_is_not_told_is_held_by_the_daemons_next_rounds(db: Database, config: Path) -> None:
    seller = a_seller(db, OF_MANY)
    time = Time()
    daemon = an_auditor(db, time)
    await daemon.round()
    seller.does("UPDATE level SET on_hand = on_hand + 7")

    _, told = await asyncio.to_thread(asks, config=config)
    held = len(db.read_now(held_skus, list(seller.skus.values())))
    await time.sleep(600)
    await daemon.round()

    assert held == MOST_VIOLATIONS
    assert "and 10 more of level.fold are not shown" in told
    assert "10 of level.fold are not held yet and may be raised: within ten minutes" in told
    assert db.read_now(held_skus, list(seller.skus.values())) == set(seller.skus.values())


async def test_a_pass_begins_anew_only_for_what_nobody_holds(db: Database, config: Path) -> None:
    seller = a_seller(db, OF_MANY)
    time = Time()
    seller.does("UPDATE level SET on_hand = on_hand + 7")
    await an_auditor(db, time).round()
    before = db.read_now(load_pass, "whole")

    _, told = await asyncio.to_thread(asks, "--json", config=config)

    assert json.loads(told)["not_held"] == {}
    assert json.loads(told)["truncated"]
    assert db.read_now(load_pass, "whole") == before


def test_a_round_that_was_under_way_does_not_undo_it(db: Database) -> None:
    under_way = Pass("whole", {"rule": CHECKS[5].rule, "after": None}, NOW, NOW)
    later = NOW + timedelta(seconds=1)
    anew = Pass("whole", {"rule": CHECKS[0].rule, "after": None}, later, later)
    db.transact_now(save_further, under_way)
    db.transact_now(save_pass, anew)

    db.transact_now(save_further, under_way.moved(None, later))
    kept = db.read_now(load_pass, "whole")
    db.transact_now(save_further, anew.moved(None, later))

    assert kept == anew
    assert db.read_now(load_pass, "whole") == anew.moved(None, later)


async def test_a_rule_that_runs_again_is_tried_by_the_daemon_in_its_next_round(
    seller: Seller, db: Database, config: Path
) -> None:
    time = Time()
    seller.does("ALTER TABLE archived_level RENAME TO lost")
    for _ in range(3):  # ever more slowly: the next time is in twenty minutes
        await an_auditor(db, time).round()
        await time.sleep(600)
    seller.does("ALTER TABLE lost RENAME TO archived_level")

    code, told = await asyncio.to_thread(asks, config=config)
    await an_auditor(db, time).round()

    assert code == 0
    assert "syncd could not run archived.level, level.fold before: within ten minutes it tries again" in unwrapped(told)
    assert "audit_failing" not in seller.open_alerts()


EVERY_SHORT = "UPDATE level SET short = short + 1"


def test_several_skus_are_released_at_once(seller: Seller, config: Path) -> None:
    seller.does(EVERY_SHORT)
    asks(config=config)

    code, said = asks("release", "red-clock", "LAMP", config=config)

    assert code == 0
    assert said.count("may be raised again: it was held by level.short") == 2
    left = [each["sku"] for each in json.loads(asks("held", "--json", config=config)[1]) if not each["released_by"]]
    assert sorted(left) == ["RARE", "STAND"]


def test_all_that_a_rule_holds_is_released_when_a_person_says_yes(seller: Seller, config: Path) -> None:
    seller.does(EVERY_SHORT, WRONG)
    asks(config=config)

    no, asked = asks("release", "--rule", "level.short", config=config)
    yes, _ = asks("release", "--rule", "level.short", "--yes", config=config)

    held = json.loads(asks("held", "--json", config=config)[1])
    assert (no, yes) == (1, 0)
    assert "level.short: 4 held" in asked
    assert "level.fold" not in asked
    assert [each["rule"] for each in held if not each["released_by"]] == ["level.fold"]


def test_everything_is_released_also_what_is_of_no_sku(seller: Seller, config: Path) -> None:
    seller.does(
        EVERY_SHORT,
        "INSERT INTO push_batch (key, account_id, created_at, sent_at, settle_by) VALUES ('empty', 1, 0, 0, 0)",
    )
    asks(config=config)

    code, said = asks("release", "--all", "--yes", config=config)
    again, _ = asks("release", "--all", "--yes", config=config)

    assert (code, again) == (0, 1)
    assert "what concerns no SKU is told no more: push.empty" in said
    assert "audit_violation" not in seller.open_alerts(), "people know"


def test_a_release_that_says_nothing_or_too_much_releases_nothing(seller: Seller, config: Path) -> None:
    seller.does(WRONG)
    asks(config=config)

    for arguments, remedy in (
        ((), "name SKUs"),
        (("RED-CLOCK", "--all"), "not both"),
        (("--rule", "level.fould"), "level.fold, "),
        (("RED-CLOCK", "NOBODYS"), "Nothing was released"),
    ):
        code, said = asks("release", *arguments, config=config)
        assert code != 0
        assert remedy in said
    assert "held\n" in asks("held", config=config)[1]


def test_what_is_held_is_counted_and_shown_as_far_as_asked_for(seller: Seller, config: Path) -> None:
    seller.does(EVERY_SHORT, WRONG)
    asks(config=config)

    _, some = asks("held", "--limit", "2", config=config)
    _, all_of_it = asks("held", config=config)
    some_json = json.loads(asks("held", "--json", "--limit", "2", config=config)[1])
    all_json = json.loads(asks("held", "--json", config=config)[1])

    assert "level.fold: 1 held" in some
    assert "level.short: 4 held" in some
    assert "shown are the 2 oldest of 5: see more with --limit 5, all with --json" in some
    assert some.count("likely cause") == 2
    assert "shown are" not in all_of_it
    assert (len(some_json), len(all_json)) == (2, 5)


def test_json_gives_all_that_is_held_however_much(seller: Seller, config: Path) -> None:
    number = 2 * PAGE + 1
    seller.does(
        "INSERT INTO audit_finding (sku_id, rule, subject, told, found_at, seen_at)"
        f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
        """ SELECT 1, 'level.short', '[1,' || i || ']', '{"rule":"level.short","likely_cause":"x"}', 0, 0 FROM n"""
    )

    _, told = asks("held", "--json", config=config)

    assert len(json.loads(told)) == number


def test_nothing_that_is_held_is_an_empty_list(seller: Seller, config: Path) -> None:
    assert json.loads(asks("held", "--json", config=config)[1]) == []
    assert "holds nothing back" in asks("held", config=config)[1]


def test_a_rule_that_cannot_run_is_named_with_its_remedy_and_the_others_run(seller: Seller, config: Path) -> None:
    seller.does(EVERY_SHORT, "ALTER TABLE archived_level RENAME TO lost")

    code, told = asks(config=config)
    json_code, as_json = asks("--json", config=config)

    assert (code, json_code) == (1, 1)
    assert "level.fold could not run: " in told
    assert "archived_level" in told
    assert "the book is NOT proved: 2 of " in told
    assert "is proved" not in told
    assert "found 4 violations" in told
    assert json.loads(as_json)["failed"].keys() == {"level.fold", "archived.level"}


def test_a_person_reads_names_and_what_to_do(seller: Seller, config: Path) -> None:
    seller.does(WRONG)

    _, told = asks(config=config)
    _, held = asks("held", config=config)

    for words in (
        "level.fold sku RED-CLOCK, warehouse hamburg",
        "found on_hand 27,",
        "reservation: reserved +2 (line/",
    ):
        assert words in unwrapped(told)
    assert "the book is NOT right: 1 violation in " in told
    assert "Copy the database" in told
    assert "warehouse hamburg: found on_hand 27," in held


def test_a_rule_that_the_daemon_cannot_run_is_shown_with_what_is_held(
    seller: Seller, db: Database, config: Path
) -> None:
    seller.does("ALTER TABLE archived_level RENAME TO lost")
    asyncio.run(an_auditor(db, Time()).round())

    _, told = asks("held", config=config)

    assert "level.fold cannot run since 2026-11-27" in told
    assert "holds nothing back" not in told
