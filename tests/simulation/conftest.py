"""What simulations share: a database of the newest schema, made once, and a command that replays one that fails."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from syncd.db.migrate import migrate
from tests.simulation.gate import replay


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell below each failure how to see it again."""
    report = yield
    if report.failed and item.get_closest_marker("sim") is not None:
        report.sections.append(("replay it", replay(item.nodeid)))
    return report


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database that trials copy instead of migrating their own."""
    path = tmp_path_factory.mktemp("schema") / "syncd.db"
    migrate(f"sqlite:///{path}")
    return path
