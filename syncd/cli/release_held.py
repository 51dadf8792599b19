"""`syncd audit release`: a person's word that lets SKUs be raised in spite of what the audit found."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.catalogue.codes import codes_of
from syncd.clock import clock_from
from syncd.db.database import Database
from syncd.errors import SyncdError
from syncd.insight.stock import find_sku
from syncd.insight.unknown import Unknown
from syncd.reconcile.audit import BY_RULE
from syncd.reconcile.concerned import NO_SKU
from syncd.reconcile.findings import tell_found
from syncd.reconcile.held_skus import count_findings, held_after, release_skus

_AT_ONCE: Final = 500
_NAMED: Final = 20


class UnknownSkus(SyncdError):
    """Some of the SKUs that were named are not known; nothing was released."""

    def __init__(self, unknown: Sequence[Unknown]) -> None:
        super().__init__("; ".join(map(str, unknown)) + ". Nothing was released")


class UnknownRule(SyncdError):
    """No rule of the audit is called so."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"no rule of the audit is called {rule!r}. There are {', '.join(sorted(BY_RULE))}")


def release(
    path: Path, codes: Sequence[str], console: Console, *, everything: bool, rule: str | None, yes: bool
) -> bool:
    """Let SKUs be raised in spite of what was found: these, all that a rule holds, or all.

    Returns whether any was held. Raises UnknownSkus and UnknownRule; then nothing is released.
    """
    if rule is not None and rule not in BY_RULE:
        raise UnknownRule(rule)
    config = settings.load(path)
    db = open_database(config)
    try:
        sku_ids = None if everything or not codes else _sku_ids(db, codes)
        if sku_ids is None and not yes and not _may(db, rule, console):
            return False
        actor, clock = f"cli:{getpass.getuser()}", clock_from(config.clock.record)
        released: dict[int, list[str]] = {}
        after = NO_SKU - 1
        while held := db.read_now(held_after, after, _AT_ONCE, sku_ids, rule):
            released |= db.transact_now(release_skus, held, actor, clock.now(), rule)
            after = held[-1]
        if released:
            db.transact_now(tell_found, clock.now())
        named = db.read_now(codes_of, list(released)[:_NAMED])
    finally:
        db.close()
    _print_released(codes, released, named, console)
    return bool(released)


def _sku_ids(db: Database, codes: Sequence[str]) -> set[int]:
    found: set[int] = set()
    unknown: list[Unknown] = []
    for code in codes:
        try:
            found.add(db.read_now(find_sku, code))
        except Unknown as err:
            unknown.append(err)
    if unknown:
        raise UnknownSkus(unknown)
    return found


def _may(db: Database, rule: str | None, console: Console) -> bool:
    """Ask whether so much may be released at once."""
    counted = {each.rule: each.held for each in db.read_now(count_findings) if each.held and rule in (None, each.rule)}
    if not counted:
        return True
    for name, held in counted.items():
        console.print(f"{name}: {held:,} held", markup=False, highlight=False)
    return typer.confirm("Let all of these be raised again, though their numbers may be wrong?")


def _print_released(
    codes: Sequence[str], released: dict[int, list[str]], named: dict[int, str], console: Console
) -> None:
    if not released:
        console.print(f"the audit does not hold {', '.join(codes) or 'anything of it'}", style="yellow", markup=False)
        return
    for sku_id, rules in list(released.items())[:_NAMED]:
        by = ", ".join(rules)
        told = f"{named.get(sku_id, f'SKU {sku_id}')} may be raised again: it was held by {by}"
        if sku_id == NO_SKU:
            told = f"what concerns no SKU is told no more: {by}"
        console.print(told, style="green", markup=False, highlight=False)
    if len(released) > _NAMED:
        console.print(f"and {len(released) - _NAMED:,} more SKUs", style="green", highlight=False)
    console.print("what was found stays as it is; it holds again when it grows, or is gone and comes back", style="dim")
