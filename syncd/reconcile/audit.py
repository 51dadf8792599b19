"""Prove the book: read it page by page, in bounded memory, and name what does not hold and why it may not.

Nothing is repaired: drift is an alarm with a cause. A page is one short read, so that a daemon can go on working; each
rule compares what belongs together inside one statement, so that its work in between is never taken for drift. Rules
about the same rows are asked together (`sweeps`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from syncd.db.database import Database, Transactor
from syncd.reconcile.causes import look_into
from syncd.reconcile.checks import STOCK
from syncd.reconcile.listing_checks import PUBLISHING
from syncd.reconcile.order_checks import ORDERS
from syncd.reconcile.pages import Key, count_keys
from syncd.reconcile.shipment_checks import SHIPMENTS
from syncd.reconcile.sieves import LEVELS, LINES, LINES_BY_ORDER
from syncd.reconcile.sweeps import Swept, read_sweep, sweep_of
from syncd.reconcile.violation import Violation

CHECKS: Final = (*STOCK, *ORDERS, *SHIPMENTS, *PUBLISHING)
BY_RULE: Final = {check.rule: check for check in CHECKS}
PLACES: Final = {check.rule: place for place, check in enumerate(CHECKS)}
_SIFTED: Final = {*LEVELS.rules, *LINES.rules, *LINES_BY_ORDER.rules}
SWEEPS: Final = (LEVELS, LINES, LINES_BY_ORDER, *(sweep_of(check) for check in CHECKS if check.rule not in _SIFTED))
MOST_VIOLATIONS: Final = 50
"""How many violations of one rule are told; all are counted."""

Progress = Callable[[str, int, int], None]
"""Called after each page with (rule, keys checked, keys in all), once for each rule that was asked about it."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was checked, by rule, and what does not hold: every violation counted, the first of each rule told.

    `failed`: rules that could not run to their end, and why.
    """

    checked: dict[str, int]
    violations: tuple[Violation, ...]
    truncated: bool
    counted: dict[str, int]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every rule was proved."""
        return not self.failed and not any(self.counted.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "checked": self.checked,
            "counted": self.counted,
            "truncated": self.truncated,
            "failed": self.failed,
            "violations": [violation.to_json() for violation in self.violations],
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an audit has come: the key it goes on after in the sweep it is at, and what it has found so far.

    `rule` is the first of that sweep's; `failed` the rules before it that could not run to their end, and why.
    """

    rule: str | None = None
    after: Key | None = None
    checked: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "after": self.after,
            "checked": self.checked,
            "counted": self.counted,
            "failed": self.failed,
            "violations": [violation.to_json() for violation in self.violations],
        }

    @staticmethod
    def from_json(told: dict[str, Any]) -> Standing:
        """Where an audit stood; one of a version with other rules begins anew."""
        if told["rule"] not in {sweep.name for sweep in SWEEPS}:
            return Standing()
        after = None if told["after"] is None else tuple(told["after"])
        violations = tuple(map(Violation.from_json, told["violations"]))
        failed = told.get("failed", {})  # a version before did not note them
        return Standing(told["rule"], after, told["checked"], told["counted"], violations, failed)


BEGINNING: Final = Standing()

Keep = Callable[[Standing], None]
"""Called after each page with where the audit stands."""


def audit(
    db: Database,
    progress: Progress | None = None,
    most: int = MOST_VIOLATIONS,
    begin: Standing = BEGINNING,
    keep: Keep | None = None,
) -> AuditReport:
    """Check the whole book, or what comes after `begin`, telling at most `most` violations of each rule."""
    walk = _walk(progress, most, begin, keep)
    answer: Any = None
    while True:
        try:
            function, arguments = walk.send(answer)
        except StopIteration as end:
            report: AuditReport = end.value
            return report
        answer = db.read_now(function, *arguments)


async def audit_async(db: Transactor, progress: Progress | None = None, most: int = MOST_VIOLATIONS) -> AuditReport:
    """The same inside the daemon: between two pages everything else goes on."""
    walk = _walk(progress, most, Standing(), None)
    answer: Any = None
    while True:
        try:
            function, arguments = walk.send(answer)
        except StopIteration as end:
            report: AuditReport = end.value
            return report
        answer = await db.read(function, *arguments)


Read = tuple[Callable[..., Any], tuple[Any, ...]]


def _walk(
    progress: Progress | None, most: int, begin: Standing, keep: Keep | None
) -> Generator[Read, Any, AuditReport]:
    """Say what to read next, take the answer, and end with the report: the same for both ways of reading."""
    checked, counted, violations = dict(begin.checked), dict(begin.counted), list(begin.violations)
    names = [sweep.name for sweep in SWEEPS]
    for sweep in SWEEPS[names.index(begin.rule) if begin.rule else 0 :]:
        in_all = (yield count_keys, (sweep.pages,)) if progress else 0
        after = begin.after if sweep.name == begin.rule else None
        for rule in sweep.rules:
            checked.setdefault(rule, 0)
            counted.setdefault(rule, 0)
        while True:
            page: Swept = yield read_sweep, (sweep, after)
            for check, rows in page.broken:
                for row in rows[: max(0, most - counted[check.rule])]:
                    looked = yield look_into, (check, row)
                    violations.append(Violation.of(check, row, looked))
                counted[check.rule] += len(rows)
            if page.last is None:
                break
            after = page.last
            for rule in sweep.rules:
                checked[rule] += page.keys
                if progress:
                    progress(rule, checked[rule], max(checked[rule], in_all))
            if keep:
                keep(Standing(sweep.name, after, dict(checked), dict(counted), tuple(violations), begin.failed))
    return report_of(checked, counted, violations, begin.failed)


def report_of(
    checked: Mapping[str, int],
    counted: Mapping[str, int],
    violations: Iterable[Violation],
    failed: Mapping[str, str] | None = None,
) -> AuditReport:
    """The report in the order of the rules, however they were asked."""
    told = tuple(sorted(violations, key=lambda each: PLACES[each.rule]))
    return AuditReport(
        {rule: checked.get(rule, 0) for rule in PLACES},
        told,
        sum(counted.values()) > len(told),
        {rule: counted.get(rule, 0) for rule in PLACES},
        dict(failed or {}),
    )
