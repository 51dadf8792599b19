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
from syncd.stock.archive.verify import Verified, verify_archive


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
        return True
    finally:
        db.close()


def _tell_archived(done: Archived, to: Path, console: Console, *, as_json: bool) -> None:
    if as_json:
        print_json(done.to_json(), console)
        return
    if not done.new:
        console.print(f"nothing is older than {at(done.cut)} and not archived yet")
        return
    console.print(
        f"{done.movements} movements older than {at(done.cut)} are in {len(done.new)} new files of {escape(str(to))}"
    )
    console.print(f"prove them: syncd archive --verify {escape(str(to))}", style="dim")


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
    if found.sound:
        console.print(f"[green]✓[/] the archive is proved: {found.movements} movements in {found.files} files")
    else:
        console.print(f"{found.counted} things are wrong", style="bold red")
