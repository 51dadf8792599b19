"""What every test shares: where the shared folder is, if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SYNCD_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the vendors' specifications. Skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared folder {SHARED} is not there: set SYNCD_SHARED to test against the vendors' schemas")
    return SHARED
