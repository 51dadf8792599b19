"""The desk of each test of the way in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from syncd.db.database import Database
from tests.integration.intake.desk import Desk


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nothing is printed: tracebacks with every variable take seconds."""
    with capture_logs():
        yield
