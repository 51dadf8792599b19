"""A database for every test, on both engines: migrated once a session, and handed out empty."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from adapters.shopify.sandbox.documents import Checked, Documents
from syncd.db import database as database_module
from syncd.db.database import Database
from syncd.db.migrate import migrate
from tests.support import postgres
from tests.support.builders import a_database, migrated_sqlite

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("engine_name", [POSTGRES], indirect=True)


class Compiled(dict[tuple[Any, ...], Any]):
    """SQLAlchemy's cache of compiled statements, for all engines of one kind: a key's first part is its dialect."""

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)


@pytest.fixture(scope="session", autouse=True)
def swift_databases() -> Iterator[None]:
    """What each test would work out anew is worked out once a session, and nothing leaves a turn to a daemon.

    SQLAlchemy compiles each statement once for all engines of a kind, a sandbox checks each GraphQL document once.
    """
    caches = {"sqlite": Compiled(), "postgresql": Compiled()}

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=caches[connection.dialect.name])

    read, checked = Documents._read, dict[str, Checked]()

    def read_once(documents: Documents, query: str) -> Checked:
        return checked.get(query) or checked.setdefault(query, read(documents, query))

    event.listen(Engine, "engine_connect", share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_module, "_TURN_S", 0.0)
        patch.setattr(Documents, "_read", read_once)
        yield
    event.remove(Engine, "engine_connect", share)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file that nobody opens."""
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    file.write_bytes(migrated_sqlite())
    return file


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The URL of a migrated, empty PostgreSQL database that nobody opens."""
    url = postgres.create_database()
    migrate(url)
    return url


@pytest.fixture(params=["sqlite", POSTGRES])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Whichever engines a test runs on: both, unless it is marked ON_SQLITE or ON_POSTGRESQL."""
    return str(request.param)


@pytest.fixture
def db(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database that nobody else uses meanwhile, opened. Its schema is not to be changed."""
    if engine_name != "sqlite":
        with a_database(engine_name, tmp_path) as shared:
            yield shared
        return
    database = Database(_a_copy(request.getfixturevalue("sqlite_template"), tmp_path))
    yield database
    database.close()


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test alone, which may do to it what it likes."""
    kind = "sqlite" if engine_name == "sqlite" else "postgres"
    with copied(request.getfixturevalue(f"{kind}_template"), tmp_path) as url:
        yield url


@contextmanager
def copied(template: Path | str, folder: Path) -> Iterator[str]:
    """The URL of a copy of a SQLite file, or of the PostgreSQL database that a URL names, which nobody has open."""
    if isinstance(template, Path):
        yield _a_copy(template, folder)
        return
    url = postgres.create_database(template=template)
    yield url
    postgres.drop_database(url)


def _a_copy(template: Path, folder: Path) -> str:
    copy = folder / "syncd.db"
    shutil.copyfile(template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture(params=["sqlite", POSTGRES])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that nobody has migrated: on SQLite not even a file yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'syncd.db'}"
        return
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
