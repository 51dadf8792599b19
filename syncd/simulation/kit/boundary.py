"""Boundaries: the instants between two steps, where a power cut hurts most."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Boundary(StrEnum):
    """Where a process may be cut off."""

    COMMITTED = "after a commit and before its answer"
    SENT = "after a request and before its reply"
    REPLIED = "after a reply and before it is used"
    ROLLED_BACK = "before a commit"


Reach = Callable[[Boundary, str], None]
"""Called at each boundary with what is being done; ends the life of the process there, or does nothing."""


def never(_: Boundary, __: str) -> None:
    """No power cut anywhere."""
