"""`syncd archive`: what it says, what it prints for programs, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncd.cli.app import app
from syncd.clock import start_record
from syncd.db.database import Database
from syncd.stock.archive.files import ArchiveRefused
from tests.integration.book.kept_book import corrupt
from tests.integration.test_archive import YEARS_LATER, n
from tests.support.builders import Seller, a_seller, an_order


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def seller(db: Database) -> Seller:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(quantity=2))
    return seller


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Path:
    """Years after everything has moved."""
    start_record(1.0, YEARS_LATER).save(tmp_path / "clock.json")
    path = tmp_path / "syncd.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n[clock]\nrecord = "{tmp_path / "clock.json"}"\n')
    return path


def asks(*arguments: str, config: Path) -> tuple[int, str]:
    """(exit code, what it printed). Raises what the command line would tell as its last word."""
    done = CliRunner().invoke(app, ["archive", *arguments, "-c", str(config)], env={"COLUMNS": "200"})
    if isinstance(done.exception, ArchiveRefused):
        raise done.exception
    return done.exit_code, done.output


def test_it_archives_and_proves_what_it_wrote(seller: Seller, config: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "archive")

    code, told = asks("--to", folder, config=config)
    assert (code, n(seller, "movement")) == (0, 0)
    assert "2 movements older than" in told
    assert "syncd archive --verify" in told

    code, told = asks("--verify", folder, config=config)
    assert code == 0
    assert "the archive is proved: 2 movements in 1 files" in told

    code, told = asks("--to", folder, config=config)
    assert "nothing is older than" in told


def test_what_is_wrong_ends_with_one_and_names_the_file(seller: Seller, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    asks("--to", str(folder), config=config)
    (file,) = folder.glob("movements-*.gz")
    file.write_bytes(b"nothing")

    code, told = asks("--verify", str(folder), config=config)
    assert code == 1
    assert f"{file.name}: its sha256 is" in told
    assert "RED-CLOCK in hamburg: the files sum up to seq 0" in told

    code, told = asks("--verify", str(folder), "--json", config=config)
    assert code == 1
    assert not json.loads(told)["sound"]


def test_a_broken_level_is_left_out_told_by_name_and_ends_with_one(
    seller: Seller, config: Path, tmp_path: Path
) -> None:
    corrupt(seller.db, "DELETE FROM movement WHERE seq = 1")

    code, told = asks("--to", str(tmp_path / "archive"), config=config)
    assert code == 1
    assert "RED-CLOCK in hamburg was left out: movements after seq 0 are missing" in told
    assert "`syncd audit` tells what is wrong" in told

    code, told = asks("--to", str(tmp_path / "archive"), "--json", config=config)
    assert code == 1
    assert json.loads(told)["broken"] == [
        {"sku": "RED-CLOCK", "warehouse": "hamburg", "problem": "movements after seq 0 are missing"}
    ]


@pytest.mark.usefixtures("seller")
def test_what_was_never_archived_is_not_called_proved(config: Path, tmp_path: Path) -> None:
    code, told = asks("--verify", str(tmp_path), config=config)

    assert (code, "nothing was archived from this database yet" in told) == (0, True)


def test_programs_get_json(seller: Seller, config: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "archive")

    code, told = asks("--to", folder, "--json", "--keep-days", "790", config=config)

    assert code == 0
    done = json.loads(told)
    assert (done["movements"], done["files"], done["movements_in_all"]) == (2, 1, 2)
    assert [file["name"] for file in done["new_files"]] == [each.name for each in Path(folder).glob("movements-*.gz")]


@pytest.mark.usefixtures("seller")
def test_too_few_days_are_refused(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="Keep 35 days or more"):
        asks("--to", str(tmp_path / "archive"), "--keep-days", "10", config=config)


@pytest.mark.usefixtures("seller")
def test_it_must_be_told_what_to_do(config: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--to", str(tmp_path), "--verify", str(tmp_path))):
        code, told = asks(*arguments, config=config)
        assert code == 2
        assert "say --to DIR to archive there, or --verify DIR" in told


def test_its_help_has_examples() -> None:
    told = CliRunner().invoke(app, ["archive", "--help"], env={"COLUMNS": "200"}).output

    assert "syncd archive --to /var/lib/syncd/archive" in told
    assert "syncd archive --verify" in told
