"""`syncd audit`: prove the book and say what of it is proved, with what is wrong and what could not be looked at."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.cli.finding_words import Names, about, in_words, movement_in_words, read_names
from syncd.cli.imports import bar
from syncd.clock import clock_from
from syncd.db.database import Database
from syncd.reconcile.audit import BY_RULE, AuditReport, Keep, Standing
from syncd.reconcile.clearing import clear_gone
from syncd.reconcile.findings import hold_told
from syncd.reconcile.lanes import audit_in_lanes
from syncd.reconcile.progress import Pass, drop_pass, load_pass, save_pass
from syncd.reconcile.violation import Violation

_ASKED: Final = "asked"
_KEPT_EVERY: Final = 25
"""Pages between two notes of where a run stands: what a run that was stopped has to read again at most."""


def show_audit(path: Path, console: Console, *, as_json: bool, resume: bool) -> bool:
    """Audit and print the verdict. Returns whether the book is right. What is wrong is not raised from then on."""
    config = settings.load(path)
    clock = clock_from(config.clock.record)
    db = open_database(config)
    try:
        begin = _stopped_at(db) if resume else Standing()
        if resume and begin.rule is None and not as_json:
            console.print("no audit was stopped: this one begins at the beginning", style="dim")
        keep = _keeper(db, clock.now())
        if as_json:
            report = audit_in_lanes(db, begin=begin, keep=keep)
        else:
            with bar(console, "audit") as progress:
                report = audit_in_lanes(db, lambda _rule, done, total: progress(done, total), begin=begin, keep=keep)
        db.transact_now(drop_pass, _ASKED)
        if report.violations:
            db.transact_now(hold_told, BY_RULE, report.violations, clock.now())
        cleared = clear_gone(db, frozenset(report.failed), clock.now())
        names = db.read_now(read_names, [each.subject for each in report.violations])
    finally:
        db.close()
    if as_json:
        console.print_json(json.dumps(report.to_json()))
    else:
        _print_audit(report, names, console)
        if cleared:
            told = f"gone since it was found: {cleared:,}; what was held for it may be raised again"
            console.print(told, style="green", highlight=False)
    return report.clean


def _stopped_at(db: Database) -> Standing:
    done = db.read_now(load_pass, _ASKED)
    return Standing() if done is None else Standing.from_json(done.position)


def _keeper(db: Database, started_at: datetime) -> Keep:
    pages = 0

    def keep(standing: Standing) -> None:
        nonlocal pages
        pages += 1
        if pages % _KEPT_EVERY == 0:
            db.transact_now(save_pass, Pass(_ASKED, standing.to_json(), started_at, started_at))

    return keep


def _print_audit(report: AuditReport, names: Names, console: Console) -> None:
    for violation in report.violations:
        _print_violation(violation, names, console)
    if report.violations:
        console.print()
    _print_more(report, console)
    for rule, why in report.failed.items():
        console.print(f"[red]✗ {escape(rule)} could not run:[/] {escape(why)}", highlight=False)
    _print_verdict(report, console)


def _print_violation(violation: Violation, names: Names, console: Console) -> None:
    console.print(f"[red]✗ {escape(violation.rule)}[/] {escape(about(violation.subject, names))}", highlight=False)
    found, expected = in_words(violation.found), in_words(violation.expected)
    console.print(f"    found {escape(found)}; expected {escape(expected)}", highlight=False)
    console.print(f"    likely cause: {escape(violation.likely_cause)}", highlight=False)
    for movement in violation.movements:
        console.print(f"    movement {escape(movement_in_words(movement))}", style="dim", highlight=False)


def _print_more(report: AuditReport, console: Console) -> None:
    """Rules with more violations than are told."""
    for rule, broken in report.counted.items():
        told = sum(each.rule == rule for each in report.violations)
        if broken > told:
            more = f"{broken - told:,} more of {rule} are not shown and not held yet: the daemon finds and holds them"
            console.print(f"  and {more}", style="yellow", markup=False, highlight=False)


def _print_verdict(report: AuditReport, console: Console) -> None:
    facts = f"{sum(report.checked.values()):,} facts by {len(report.checked) - len(report.failed)} rules"
    if report.clean:
        console.print(f"[green]✓[/] the book is proved: {facts}", highlight=False)
        return
    broken = sum(report.counted.values())
    if report.failed:
        console.print(
            f"the book is NOT proved: {len(report.failed)} of {len(report.checked)} rules could not run to their end;"
            f" the others looked at the whole book and found {_several(broken)}",
            style="bold red",
            highlight=False,
        )
    else:
        console.print(f"the book is NOT right: {_several(broken)} in {facts}", style="bold red", highlight=False)
    if broken:
        _print_what_now(console)
    if report.failed:
        told = "What could not run: do what is said there, and run `syncd audit` again. Until then nobody knows of it."
        console.print(told, style="dim", markup=False, highlight=False)


def _print_what_now(console: Console) -> None:
    for line in (
        "Nothing was repaired. Until it is gone the SKUs concerned are lowered as ever, and raised nowhere.",
        "What to do: 1. Copy the database. 2. Read the likely causes; `syncd audit held` shows them again at once.",
        "3. Restore a backup; or count the SKUs concerned, import the count, and `syncd audit release SKU...`.",
    ):
        console.print(line, style="dim", markup=False, highlight=False)


def _several(broken: int) -> str:
    return f"{broken:,} violation{'s' if broken != 1 else ''}"
