"""`syncd migrate` says what it is about to do, and who should have been stopped before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from syncd.cli.app import app
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import acquire
from syncd.db.migrate import migrate, newest_revision

EARLIER = "0010"


def migrates(empty_url: str, folder: Path) -> str:
    file = folder / "syncd.toml"
    file.write_text(f'[database]\nurl = "{empty_url}"\n')
    done = CliRunner().invoke(app, ["migrate", "-c", str(file)])
    assert done.exit_code == 0
    return done.output


def works(empty_url: str, *, seconds_ago: float) -> None:
    """A daemon took the scheduler's lease then."""
    db = Database(empty_url)
    db.transact_now(acquire, "scheduler", "stock-host/boot/4711/9", real_now() - timedelta(seconds=seconds_ago))
    db.close()


def test_a_first_schema_needs_no_warning(empty_url: str, tmp_path: Path) -> None:
    assert migrates(empty_url, tmp_path) == f"the database went from nothing to {newest_revision()}\n"
    assert migrates(empty_url, tmp_path) == f"the database is at {newest_revision()} already\n"


def test_it_says_where_it_goes_and_nothing_of_a_daemon_that_is_gone(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, EARLIER)
    works(empty_url, seconds_ago=3600)

    said = migrates(empty_url, tmp_path).splitlines()

    assert said == [
        f"bringing the database from {EARLIER} to {newest_revision()}",
        f"the database went from {EARLIER} to {newest_revision()}",
    ]


def test_a_daemon_that_still_works_is_named_with_how_long_it_would_wait(empty_url: str, tmp_path: Path) -> None:
    migrate(empty_url, EARLIER)
    works(empty_url, seconds_ago=5)

    said = migrates(empty_url, tmp_path)

    assert "syncd (process 4711 on stock-host) still works on it: stop it" in said
    assert ("some 10 s where there are 5,000,000 levels" in said) is empty_url.startswith("postgresql")
