"""What an audit on demand leaves to the daemon: what it told is held, what is gone let go, the rest looked at soon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from syncd.db.database import Database
from syncd.db.tables import audit_finding
from syncd.reconcile.audit import BY_RULE, CHECKS, AuditReport
from syncd.reconcile.clearing import clear_gone
from syncd.reconcile.failing import load_failing, save_failing
from syncd.reconcile.findings import hold_told
from syncd.reconcile.progress import WHOLE, Pass, drop_pass, save_pass

ASKED: Final = "asked"
"""The pass of an audit on demand."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The report, with the rules that could not be asked again among its `failed`; and how many findings are gone.

    `not_held`: by rule, violations that were counted and not told, which nothing holds until the daemon's pass through
    the whole book comes to them. `soon`: rules that ran, which the daemon could not run and tries in its next round.
    """

    report: AuditReport
    gone: int = 0
    not_held: dict[str, int] = field(default_factory=dict)
    soon: tuple[str, ...] = ()


def settle(db: Database, report: AuditReport, now: datetime) -> Settled:
    """Hold what was told, let go of what is gone, and have the daemon look at what is left of it."""
    if report.violations:
        db.transact_now(hold_told, BY_RULE, report.violations, now)
    cleared = clear_gone(db, frozenset(report.failed), now)
    report = replace(report, failed=report.failed | cleared.failed)
    not_held, soon = db.transact_now(_hand_over, report, now)
    return Settled(report, cleared.gone, not_held, soon)


def _hand_over(connection: Connection, report: AuditReport, now: datetime) -> tuple[dict[str, int], tuple[str, ...]]:
    """End the run; what it did not tell, and rules that run again, the daemon looks at from its next round on."""
    drop_pass(connection, ASKED)
    not_held = _not_held(connection, report) if report.truncated else {}
    if not_held:
        save_pass(connection, Pass(WHOLE, {"rule": CHECKS[0].rule, "after": None}, now, now))
    failing = load_failing(connection)
    soon = {
        rule: replace(each, times=0)
        for rule, each in failing.items()
        if rule in report.checked and rule not in report.failed
    }
    if soon:
        save_failing(connection, failing | soon, now)
    return not_held, tuple(sorted(soon))


def _not_held(connection: Connection, report: AuditReport) -> dict[str, int]:
    """Violations that are not among what is kept, by rule: what the daemon has found already is."""
    rule = audit_finding.c.rule
    wanted = select(rule, func.count(audit_finding.c.subject.distinct())).group_by(rule)
    kept = {name: int(n) for name, n in connection.execute(wanted)}
    return {name: n - kept.get(name, 0) for name, n in report.counted.items() if n > kept.get(name, 0)}
