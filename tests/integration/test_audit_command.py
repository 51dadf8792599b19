"""`syncd audit`: the verdict and its exit code, a run that goes on, what is held, and who released it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncd.cli import audit as command
from syncd.cli.app import app
from syncd.db.database import Database
from syncd.reconcile.audit import CHECKS, Standing, audit
from syncd.reconcile.progress import Pass, load_pass, save_pass
from tests.integration.book.kept_book import a_kept_book
from tests.support.builders import NOW, Seller

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
    unknown, suggested = asks("release", "RED-CLOK", config=config)

    assert (first, again, unknown) == (0, 1, 1)
    assert "it was held by level.fold" in said
    assert "does not hold RED-CLOCK" in nothing
    assert "RED-CLOK" in suggested
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
