"""`syncd audit`: prove the book, show what it holds back, and release a SKU from that."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.catalogue.codes import codes_of
from syncd.cli.imports import bar
from syncd.cli.reading import as_json as print_json
from syncd.cli.reading import at, reading
from syncd.clock import clock_from
from syncd.db.database import Database
from syncd.insight.stock import find_sku
from syncd.reconcile.audit import BY_RULE, AuditReport, Keep, Standing
from syncd.reconcile.findings import hold_told
from syncd.reconcile.held_skus import Finding, findings_of, release_sku
from syncd.reconcile.lanes import audit_in_lanes
from syncd.reconcile.progress import Pass, drop_pass, load_pass, save_pass

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
    finally:
        db.close()
    if as_json:
        console.print_json(json.dumps(report.to_json()))
    else:
        _print_audit(report, console)
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


def _print_audit(report: AuditReport, console: Console) -> None:
    for violation in report.violations:
        console.print(f"[red]✗ {escape(violation.rule)}[/] {escape(str(violation.subject))}")
        console.print(f"    found {escape(str(violation.found))}, expected {escape(str(violation.expected))}")
        console.print(f"    likely cause: {escape(violation.likely_cause)}", style="dim")
        for movement in violation.movements:
            console.print(f"    {escape(str(movement))}", style="dim")
    if report.clean:
        console.print(
            f"[green]✓[/] the book is proved: {sum(report.checked.values())} facts by {len(report.checked)} rules"
        )
    else:
        console.print(f"{sum(report.counted.values())} violations", style="bold red")
        console.print("the SKUs concerned are not raised anywhere: `syncd audit held` shows them", style="dim")


def show_held(path: Path, console: Console, *, as_json: bool) -> None:
    """Print what was found and is still so, with the SKUs that are not raised for it."""
    with reading(path) as db:
        found, codes = db.read_now(_read_held)
    if as_json:
        told = [
            {
                "sku": codes.get(each.sku_id),
                **each.told,
                "found_at": each.found_at,
                "seen_at": each.seen_at,
                "released_at": each.released_at,
                "released_by": each.released_by,
            }
            for each in found
        ]
        print_json(told, console)
        return
    for each in found:
        code = codes.get(each.sku_id) or "no SKU"
        state = f"released by {each.released_by} at {at(each.released_at)}" if each.released_at else "held"
        console.print(f"[bold]{escape(code)}[/] {escape(each.rule)}, since {at(each.found_at)}, {escape(state)}")
        console.print(f"    likely cause: {escape(each.likely_cause)}", style="dim")
    if not found:
        console.print("[green]✓[/] the audit holds nothing back")


def _read_held(connection: Connection) -> tuple[list[Finding], dict[int, str]]:
    found = findings_of(connection)
    return found, codes_of(connection, {each.sku_id for each in found})


def release(path: Path, code: str, console: Console) -> bool:
    """Let a SKU be raised in spite of what was found. Returns whether it was held. Raises Unknown."""
    config = settings.load(path)
    db = open_database(config)
    try:
        sku_id = db.read_now(find_sku, code)
        now = clock_from(config.clock.record).now()
        rules = db.transact_now(release_sku, sku_id, f"cli:{getpass.getuser()}", now)
    finally:
        db.close()
    if not rules:
        console.print(f"the audit does not hold {code}", style="yellow", markup=False)
        return False
    console.print(f"{code} may be raised again: it was held by {', '.join(rules)}", style="green", markup=False)
    console.print("what was found stays as it is; it holds the SKU again when it is gone and comes back", style="dim")
    return True
