"""What simulations share: a database of the newest schema, made once for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.db.migrate import migrate


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database that trials copy instead of migrating their own."""
    path = tmp_path_factory.mktemp("schema") / "syncd.db"
    migrate(f"sqlite:///{path}")
    return path
