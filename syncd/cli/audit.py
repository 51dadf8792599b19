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
from syncd.reconcile.asked import ASKED, Settled, settle
from syncd.reconcile.audit import AuditReport, Keep, Standing
from syncd.reconcile.lanes import audit_in_lanes
from syncd.reconcile.progress import Pass, load_pass, save_pass
from syncd.reconcile.violation import Violation

_KEPT_EVERY: Final = 25
"""Pages between two notes of where a run stands: what a run that was stopped has to read again at most."""

_WHEN_HELD: Final = (
    "within ten minutes the daemon begins to go through the whole book anew, and holds each when it comes to it"
)
_WHEN_TRIED: Final = "within ten minutes it tries again, and closes their alerts once they have read the whole book"


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
        settled, names = Settled(report), Names({})
        try:
            settled = settle(db, report, clock.now())
            names = db.read_now(read_names, [each.subject for each in report.violations])
        finally:  # what a long run has found is told, whatever becomes of the rest
            _print_settled(settled, names, console, as_json=as_json)
    finally:
        db.close()
    return settled.report.clean


def _stopped_at(db: Database) -> Standing:
    done = db.read_now(load_pass, ASKED)
    return Standing() if done is None else Standing.from_json(done.position)


def _keeper(db: Database, started_at: datetime) -> Keep:
    pages = 0

    def keep(standing: Standing) -> None:
        nonlocal pages
        pages += 1
        if pages % _KEPT_EVERY == 0:
            db.transact_now(save_pass, Pass(ASKED, standing.to_json(), started_at, started_at))

    return keep


def _print_settled(settled: Settled, names: Names, console: Console, *, as_json: bool) -> None:
    if as_json:
        console.print_json(json.dumps(settled.report.to_json() | {"not_held": settled.not_held}))
        return
    _print_audit(settled.report, names, console)
    for rule, number in settled.not_held.items():
        _tell(f"{number:,} of {rule} are not held yet and may be raised: {_WHEN_HELD}", "bold yellow", console)
    if settled.soon:
        _tell(f"syncd could not run {', '.join(settled.soon)} before: {_WHEN_TRIED}", "yellow", console)
    if settled.gone:
        _tell(f"gone since it was found: {settled.gone:,}; what was held for it may be raised again", "green", console)


def _tell(told: str, style: str, console: Console) -> None:
    console.print(told, style=style, markup=False, highlight=False)


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
            _tell(f"  and {broken - told:,} more of {rule} are not shown", "yellow", console)


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
