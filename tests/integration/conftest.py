"""A database for every test, on both engines: migrated once, copied whenever somebody asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.db.database import Database
from syncd.db.migrate import migrate
from tests.support import postgres

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file that nobody opens."""
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The URL of a migrated, empty PostgreSQL database that nobody opens."""
    url = postgres.create_database()
    migrate(url)
    return url


@pytest.fixture(params=["sqlite", POSTGRES])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database of this test alone, for whoever opens it by itself or from a process."""
    if request.param == "sqlite":
        copy = tmp_path / "syncd.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), copy)
        yield f"sqlite:///{copy}"
        return
    url = postgres.create_database(template=request.getfixturevalue("postgres_template"))
    yield url
    postgres.drop_database(url)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """That database, opened, and closed at the end."""
    database = Database(database_url)
    yield database
    database.close()
