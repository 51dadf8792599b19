"""What every test shares: where it writes, how it logs, and where the shared folder is, if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from tests.support.memory import folder_in_memory

SHARED = Path(os.environ.get("SYNCD_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))


def pytest_configure() -> None:
    """Let `tmp_path` be in memory, unless somebody has said where; print exceptions plainly."""
    if (memory := folder_in_memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)
    # How fast a machine makes up examples says nothing about the code.
    settings.register_profile("syncd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("syncd")
    ConsoleRenderer.get_active().exception_formatter = plain_traceback  # rich takes up to 20 s for one with its locals


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the vendors' specifications. Skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared folder {SHARED} is not there: set SYNCD_SHARED to test against the vendors' schemas")
    return SHARED
