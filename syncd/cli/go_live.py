"""`syncd go-live`: show what would change, ask, and let the account write."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from syncd import config as settings
from syncd.accounts.go_live import NotReadyToGoLive, NumberChange, go_live, obstacles, preview
from syncd.accounts.store import is_live
from syncd.bootstrap import open_channel, visit_world
from syncd.chance import SystemRng
from syncd.cli.imports import bar

_SHOWN = 25


async def ask_and_go_live(
    path: Path, key: str, console: Console, *, yes: bool, leave_unmapped: bool, listed: Path | None = None
) -> bool:
    """Go live after a look at every number that would change; one that is live is left as it is.

    Raises NotReadyToGoLive with all that is missing.
    """
    config = settings.load(path, with_secrets=True)
    world = visit_world(config)
    try:
        account_id = world.account_id(key)
        if world.db.read_now(is_live, account_id):
            console.print(f"{key} is live already: nothing to do", markup=False)
            return True
        max_age = timedelta(hours=config.stock.stock_max_age_hours)
        now = world.clock.now()
        found = world.db.read_now(obstacles, account_id, key, max_age, leave_unmapped, now)
        if found:
            raise NotReadyToGoLive(key, found)
        account = next(each for each in config.accounts if each.key == key)
        channel = open_channel(account, world.clock, SystemRng())
        try:
            with bar(console, "reading what every listing shows") as progress:
                changes = await preview(world.db, channel, account_id, progress)
        finally:
            await channel.close()
        _show(changes, console)
        if listed is not None or len(changes) > _SHOWN:
            target = listed or Path(f"go-live-{key}.csv")
            write_changes(target, changes)
            console.print(f"all {len(changes)} of them are in {target}", markup=False)
        if not yes and not typer.confirm(f"Let {key} go live?"):
            console.print(f"{key} goes on observing; nothing was written")
            return False
        world.db.transact_now(go_live, account_id, key, max_age, leave_unmapped, world.clock.now())
        console.print(f"{key} is live: a running daemon writes these numbers now")
        return True
    finally:
        world.db.close()


def _show(changes: list[NumberChange], console: Console) -> None:
    if not changes:
        console.print("every listing shows its sellable quantity already: nothing would change")
        return
    lower = sum(1 for change in changes if change.shows is not None and change.would_show < change.shows)
    unreadable = sum(1 for change in changes if change.shows is None)
    table = Table(
        title=f"{len(changes)} numbers would change: {lower} lower, {len(changes) - lower - unreadable} higher,"
        f" {unreadable} cannot be read"
    )
    table.add_column("listing")
    table.add_column("shows", justify="right")
    table.add_column("would show", justify="right")
    table.add_column("")
    for change in changes[:_SHOWN]:
        shows = "?" if change.shows is None else str(change.shows)
        table.add_row(escape(change.code), shows, str(change.would_show), escape(change.problem or ""))
    console.print(table)
    if len(changes) > _SHOWN:
        console.print(f"and {len(changes) - _SHOWN} more")


def write_changes(path: Path, changes: Sequence[NumberChange]) -> None:
    """Every number that would change as CSV; what cannot be read has no `shows`, and the problem instead."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["listing_id", "code", "channel_sku", "shows", "would_show", "problem"])
        for each in changes:
            shows = "" if each.shows is None else each.shows
            rows.writerow([each.listing_id, each.code, each.channel_sku, shows, each.would_show, each.problem or ""])
