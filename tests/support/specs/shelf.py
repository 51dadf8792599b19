"""Where the vendors' specifications lie. They are nobody's to copy, so a checkout may be without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("SYNCD_SHARED", CHECKOUT.parent / "shared"))
SPECS = SHARED / "specs"


def spec(name: str) -> Path:
    """The file of that name under `specs`. Absent: the test is skipped, but on CI it fails."""
    found = SPECS / name
    if not found.is_file():
        missing = f"no copy of the vendor's specification {found}: set SYNCD_SHARED"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return found


def at_hand(name: str) -> bool:
    """Whether that file is there. Absent on CI: the test fails."""
    if not (SPECS / name).is_file() and os.environ.get("CI"):
        spec(name)
    return (SPECS / name).is_file()
