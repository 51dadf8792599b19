"""One thing that does not hold, as people and programs are told it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from syncd.reconcile.causes import Looked
from syncd.reconcile.checks import Check
from syncd.reconcile.pages import Row


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. `movements` are the last ones that concern it, newest first."""

    rule: str
    subject: dict[str, Any]
    found: Any
    expected: Any
    likely_cause: str
    movements: tuple[dict[str, Any], ...] = ()

    @staticmethod
    def of(check: Check, row: Row, looked: Looked) -> Violation:
        told = ("found", "expected", "cause")
        row = {name: _plain(value) for name, value in row.items()}
        subject = {name: value for name, value in row.items() if name.partition("_")[0] not in told}
        return Violation(
            check.rule, subject, _told(row, "found"), _told(row, "expected"), looked.likely_cause, looked.movements
        )

    @staticmethod
    def from_json(told: dict[str, Any]) -> Violation:
        return Violation(**{**told, "movements": tuple(told["movements"])})

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "subject": self.subject,
            "found": self.found,
            "expected": self.expected,
            "likely_cause": self.likely_cause,
            "movements": list(self.movements),
        }


def _plain(value: Any) -> Any:
    """A number as JSON and people know it: a sum comes as Decimal, or as a float where it was too large."""
    if isinstance(value, Decimal | float) and isfinite(value) and value == int(value):
        return int(value)
    return str(value) if isinstance(value, Decimal | bytes) else value


def _told(row: Row, which: str) -> Any:
    """The one value of a column `which`, or a dict of its several: found_on_hand becomes on_hand."""
    if which in row:
        return row[which]
    return {name.removeprefix(f"{which}_"): value for name, value in row.items() if name.startswith(f"{which}_")}
