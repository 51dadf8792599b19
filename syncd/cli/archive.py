"""`syncd archive`: move old movements into files, and prove that the files are whole."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.cli.imports import bar
from syncd.cli.reading import as_json as print_json
from syncd.cli.reading import at
from syncd.clock import clock_from
from syncd.stock.archive.run import Archived, archive_movements
from syncd.stock.archive.verify import REMEDY, Verified, verify_archive


def archive(
    path: Path, to: Path | None, verify: Path | None, keep_days: int, console: Console, *, as_json: bool
) -> bool:
    """Archive to one folder, or verify one. Returns whether all is well. Raises ArchiveRefused."""
    if (to is None) == (verify is None):
        raise typer.BadParameter("say --to DIR to archive there, or --verify DIR to prove what lies there")
    config = settings.load(path)
    db = open_database(config)
    try:
        if verify is not None:
            if as_json:
                found = verify_archive(db, verify)
            else:
                with bar(console, "verify") as progress:
                    found = verify_archive(db, verify, progress)
            _tell_verified(found, console, as_json=as_json)
            return found.sound
        assert to is not None
        now = clock_from(config.clock.record).now()
        if as_json:
            done = archive_movements(db, to, keep_days, now)
        else:
            with bar(console, "archive") as progress:
                done = archive_movements(db, to, keep_days, now, progress)
        _tell_archived(done, to, console, as_json=as_json)
        return done.left_out == 0
    finally:
        db.close()


def _tell_archived(done: Archived, to: Path, console: Console, *, as_json: bool) -> None:
    if as_json:
        print_json(done.to_json(), console)
        return
    if done.new:
        files = "1 new file" if len(done.new) == 1 else f"{len(done.new)} new files"
        console.print(f"{done.movements} movements older than {at(done.cut)} are in {files} of {escape(str(to))}")
        console.print(f"prove them: syncd archive --verify {escape(str(to))}", style="dim")
    elif not done.left_out:
        console.print(f"nothing is older than {at(done.cut)} and not archived yet: nothing changed")
    for level in done.broken:
        place = escape(f"{level.sku} in {level.warehouse}")
        console.print(f"[red]✗[/] {place} was left out: {escape(level.problem)}")
    if done.left_out > len(done.broken):
        console.print(f"and {done.left_out - len(done.broken)} more", style="red")
    if done.left_out:
        console.print(
            "their movements stay in the ledger: `syncd audit` tells what is wrong with them", style="bold red"
        )


def _tell_verified(found: Verified, console: Console, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json(), console)
        return
    for wrong in found.wrong:
        line = "" if wrong.line is None else f"line {wrong.line}"
        place = ", ".join(part for part in (wrong.file, line, wrong.level) if part)
        console.print(
            f"[red]✗[/] {escape(place)}: {escape(wrong.problem)}" if place else f"[red]✗[/] {escape(wrong.problem)}"
        )
    if found.counted > len(found.wrong):
        console.print(f"and {found.counted - len(found.wrong)} more", style="red")
    if found.sound and found.archive is None:
        console.print("nothing was archived from this database yet")
    elif found.sound:
        console.print(f"[green]✓[/] the archive is proved: {found.movements} movements in {found.files} files")
    else:
        things = "1 thing is" if found.counted == 1 else f"{found.counted} things are"
        console.print(f"{things} wrong. {REMEDY}", style="bold red")
