"""`syncd audit held`: what the audit found and is still so, and what it holds back for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from syncd.catalogue.codes import codes_of
from syncd.cli.finding_words import Names, about, in_words, read_names
from syncd.cli.reading import at, reading
from syncd.db.database import Database
from syncd.reconcile.concerned import NO_SKU
from syncd.reconcile.failing import Failing, load_failing, name_of
from syncd.reconcile.held_skus import Counted, Finding, Place, count_findings, findings_after, findings_of

SHOWN: Final = 50
PAGE: Final = 500


def show_held(path: Path, console: Console, *, as_json: bool, limit: int | None) -> None:
    """Print what was found and is still so, and the SKUs that are not raised for it. JSON has all without a limit."""
    with reading(path) as db:
        if as_json:
            _print_json(db, console, limit)
            return
        counted, failing = db.read_now(_read_counted)
        shown = SHOWN if limit is None else limit
        found, names = db.read_now(_read_oldest, shown)
    _print_counted(counted, console)
    for each in found:
        _print_finding(each, names, console)
    in_all = sum(each.found for each in counted)
    if in_all > len(found):
        console.print(
            f"shown are the {len(found)} oldest of {in_all:,}: see more with --limit {in_all}, all with --json",
            style="yellow",
            highlight=False,
        )
    for rule in failing:
        since = f"cannot run since {at(rule.since)}"
        console.print(f"[red]✗ {escape(name_of(rule.rule))} {since}:[/] {escape(rule.told)}", highlight=False)
    if not counted and not failing:
        console.print("[green]✓[/] the audit holds nothing back")


def _read_counted(connection: Connection) -> tuple[list[Counted], list[Failing]]:
    return count_findings(connection), list(load_failing(connection).values())


def _read_oldest(connection: Connection, limit: int) -> tuple[list[Finding], Names]:
    found = findings_of(connection, limit=limit)
    return found, read_names(connection, [each.told["subject"] for each in found], {each.sku_id for each in found})


def _print_counted(counted: Sequence[Counted], console: Console) -> None:
    for each in counted:
        parts = ((each.held, "held"), (each.found - each.held, "released"))
        told = ", ".join(f"{n:,} {word}" for n, word in parts if n)
        console.print(f"{each.rule}: {told}", markup=False, highlight=False)
    if counted:
        console.print()


def _print_finding(each: Finding, names: Names, console: Console) -> None:
    code = "no SKU" if each.sku_id == NO_SKU else names.sku(each.sku_id) or f"SKU {each.sku_id}, which is gone"
    state = f"released by {each.released_by} at {at(each.released_at)}" if each.released_at else "held"
    console.print(
        f"[bold]{escape(code)}[/] {escape(each.rule)}, since {at(each.found_at)}, {escape(state)}", highlight=False
    )
    found, expected = in_words(each.told["found"]), in_words(each.told["expected"])
    subject = about(each.told["subject"], names, without="sku_id")
    for line in (f"{subject or code}: found {found}; expected {expected}", f"likely cause: {each.likely_cause}"):
        console.print(f"    {escape(line)}", style="dim", highlight=False)


def _print_json(db: Database, console: Console, limit: int | None) -> None:
    """A JSON array, a line a finding, SKU by SKU: of any length in bounded memory."""
    begun = False
    for each in _all(db, limit):
        line = msgspec.json.encode(each).decode()
        console.out(",\n" if begun else "[\n", line, sep="", end="", highlight=False)
        begun = True
    console.out("\n]" if begun else "[]", highlight=False)


def _all(db: Database, limit: int | None) -> Iterator[dict[str, Any]]:
    after: Place | None = None
    left = limit
    while left is None or left > 0:
        found, after = db.read_now(findings_after, after, PAGE if left is None else min(left, PAGE))
        codes = db.read_now(codes_of, {each.sku_id for each in found})
        for each in found:
            yield {
                "sku": codes.get(each.sku_id),
                **each.told,
                "found_at": each.found_at,
                "seen_at": each.seen_at,
                "released_at": each.released_at,
                "released_by": each.released_by,
            }
        left = None if left is None else left - len(found)
        if after is None:
            return
