"""By how much something is wrong: a person's word for a finding covers it as it was, and not what it grows to."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.reconcile.violation import Violation

OffBy = Mapping[str, int]
"""Found less expected, by name; what is no number, or right, is left out."""


def off_by(violation: Violation) -> dict[str, int]:
    """By how much each number that was found differs from what was expected; from 0 where that is no number."""
    found = violation.found if isinstance(violation.found, Mapping) else {"": violation.found}
    expected = violation.expected
    differing = {}
    for name, value in found.items():
        wanted = expected.get(name) if isinstance(expected, Mapping) else expected
        if isinstance(value, int) and value != (less := wanted if isinstance(wanted, int) else 0):
            differing[name] = value - less
    return differing


def covers(released: OffBy, now: OffBy) -> bool:
    """Whether what was released then is all that is wrong now: no other number, none further off or the other way."""
    return all(_within(released.get(name, 0), units) for name, units in now.items())


def _within(then: int, now: int) -> bool:
    return now == 0 or ((then > 0) == (now > 0) and abs(now) <= abs(then))
